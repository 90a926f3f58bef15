import type { Command, CommandReply } from '@reelstream/events';
import { isManifest, mendJournal, mendManifest, readJournal } from '@reelstream/recording';
import { folderOf } from './capture-node.ts';
import type { CaptureNode } from './capture-node.ts';

type Of<Name extends Command['command']['name']> = Extract<Command['command'], { name: Name }>;

const refused = (code: string, detail: string): CommandReply => ({ ok: false, code, detail });

/** Says events of a session again that the stream has lost. */
export const sayAgain = async (
  { outbox }: CaptureNode,
  { sessionId, versions }: Of<'say-again'>,
): Promise<CommandReply> =>
  (await outbox.sayAgain(sessionId, versions))
    ? { ok: true }
    : refused('unknown-session', 'this node has no journal of it');

/**
 * The story of a journal that has lost events: those that others have kept are put back, what can't be read is dropped, and what had
 * waited for them in the outbox goes on. A session that is being recorded keeps its journal as it is.
 */
export const mendFolder = async (
  node: CaptureNode,
  { sessionId, events, manifest }: Of<'mend-folder'>,
): Promise<CommandReply> => {
  if (node.sessions.has(sessionId)) return refused('not-sealed', 'it is being recorded');
  const other = events.find(({ subject }) => subject !== sessionId);
  if (other) return refused('bad-command', `event ${other.id} is of ${other.subject}`);
  const folder = folderOf(node, sessionId);
  await mendJournal(folder, events);
  node.log.warn({ sessionId, versions: events.map(({ version }) => version) }, 'journal.mended');
  node.outbox.retry(sessionId);
  if (!manifest) return { ok: true };
  const kept = (await readJournal(folder)).notes['manifest'];
  if (!isManifest(kept)) return refused('no-manifest', 'the journal keeps none');
  await mendManifest(folder, kept);
  node.log.warn({ sessionId }, 'manifest.mended');

  return { ok: true };
};
