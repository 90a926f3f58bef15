import type { CommandReply, RemovalCause } from '@reelstream/events';
import { openJournal, readJournal } from '@reelstream/recording';
import { folderOf } from './capture-node.ts';
import type { CaptureNode } from './capture-node.ts';
import { toldOf } from './core/told-of.ts';
import { Ledger, sessionEvents } from './ledger.ts';

/**
 * The story of a recording that is to go: its files are taken away, durably, and then it is journalled. Whatever dies in
 * between, the command comes again, and what is gone already is no obstacle.
 */
export const removeMedia = async (
  node: CaptureNode,
  sessionId: string,
  cause: RemovalCause,
): Promise<CommandReply> => {
  const events = sessionEvents((await readJournal(folderOf(node, sessionId))).events);
  if (events.length === 0)
    return { ok: false, code: 'unknown-session', detail: 'this node has no journal of it' };
  const removed = events.find(({ type }) => type === 'recording.removed');
  if (removed) {
    // Whoever asks doesn't know of it: unless it is still on its way, it goes out once more.
    if (!node.outbox.holds(sessionId)) await node.outbox.republish(sessionId, removed.version);

    return { ok: true, version: removed.version };
  }
  if (node.sessions.has(sessionId) || events.every(({ type }) => type !== 'recording.sealed'))
    return { ok: false, code: 'not-sealed', detail: 'its media is not complete yet' };

  return { ok: true, version: await remove(node, sessionId, cause) };
};

/** Returns the version that the journal has reached. */
const remove = async (node: CaptureNode, sessionId: string, cause: RemovalCause): Promise<number> => {
  const folder = folderOf(node, sessionId);
  await node.recorder.remove(sessionId);
  await node.outboxIndex.add(sessionId);
  const ledger = new Ledger(await openJournal(folder), node.writer, (event) => {
    node.log.info({ sessionId, version: event.version, ...toldOf(event) }, event.type);
    node.outbox.extended(sessionId, event.version);
  });
  try {
    await ledger.execute((stamp) => ({ type: 'remove', stamp, cause }));
  } finally {
    await ledger.close();
  }

  return ledger.record?.version ?? 0;
};
