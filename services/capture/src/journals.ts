import type { PlainHandler } from '@reelstream/bus';
import { digestOf, JournalledQuery, JournalsQuery, understand } from '@reelstream/events';
import type { JournalledReply, JournalsReply, JournalSummary, RawEvent } from '@reelstream/events';
import { checkRecording, isManifest, listRecordings, readJournal } from '@reelstream/recording';
import type { JournalContents } from '@reelstream/recording';
import { Compile } from 'typebox/compile';
import { folderOf } from './capture-node.ts';
import type { CaptureNode } from './capture-node.ts';

const validJournals = Compile(JournalsQuery);
const validJournalled = Compile(JournalledQuery);

/** A message has 1 MiB at most: a reply stays below, unless one session or one event alone is larger. */
const replyBytes = 512 * 1024;

/** Answers what `reel reconcile` asks of this home: what its folders hold. It changes nothing. */
export const answerQueries =
  (node: CaptureNode): PlainHandler =>
  async ({ data, reply }) => {
    if (validJournals.Check(data)) reply(await summarise(node, data));
    else if (validJournalled.Check(data)) reply(await fetchEvents(node, data));
    else throw new Error('no query that this version knows');
  };

const summarise = async (node: CaptureNode, query: JournalsQuery): Promise<JournalsReply> => {
  const journals: JournalSummary[] = [];
  let looked = 0;
  let bytes = 0;
  for await (const sessionId of sessionsOf(node, query)) {
    const summary = await summaryOf(node, sessionId, query.media);
    if (summary) journals.push(summary);
    bytes += summary ? JSON.stringify(summary).length : 0;
    looked += 1;
    if (looked >= query.limit || bytes >= replyBytes)
      return { journals, ...(query.only === undefined && { through: sessionId }) };
  }

  return { journals };
};

async function* sessionsOf(node: CaptureNode, { only, after }: JournalsQuery): AsyncGenerator<string> {
  if (only !== undefined) yield only;
  else yield* listRecordings(node.config.recordingsDir, after);
}

/** Undefined for a folder that is another home's, or of which nothing has come yet. */
const summaryOf = async (
  node: CaptureNode,
  sessionId: string,
  media: boolean,
): Promise<JournalSummary | undefined> => {
  const isOpen = node.sessions.has(sessionId);
  const underWay = isOpen || node.outbox.holds(sessionId);
  const contents = await readJournal(folderOf(node, sessionId));
  const { events, damage, tail } = contents;
  // Of an open journal the last line may be half written just now.
  const unreadable = isOpen || !tail ? damage : [...damage, tail];
  const damagedBytes = unreadable.reduce((sum, { bytes }) => sum + bytes, 0);
  if ((events.length === 0 && damagedBytes === 0) || !isOurs(node, events)) return undefined;

  return {
    sessionId,
    events: events.map((event) => [event.version, digestOf(event)]),
    underWay,
    damagedBytes,
    files: [...(await faultsOf(node, sessionId, contents, media))],
  };
};

/** Homes on one host may share the folder of recordings. */
const isOurs = ({ writer }: CaptureNode, events: readonly RawEvent[]): boolean =>
  events.length === 0 || events.some(({ source }) => source === writer.source);

const faultsOf = async (
  node: CaptureNode,
  sessionId: string,
  { events, notes }: JournalContents,
  hashed: boolean,
): Promise<JournalSummary['files']> => {
  const known = events.flatMap((event) => {
    const understood = understand(event);

    return understood.status === 'known' ? [understood.event] : [];
  });
  const sealed = known.find((event) => event.type === 'recording.sealed');
  if (!sealed || known.some(({ type }) => type === 'recording.removed')) return [];
  const { manifest } = notes;
  const expected = isManifest(manifest) ? manifest : undefined;

  return [...(await checkRecording(folderOf(node, sessionId), sealed.data.files, { hashed, expected }))];
};

const fetchEvents = async (
  node: CaptureNode,
  { sessionId, versions }: JournalledQuery,
): Promise<JournalledReply> => {
  const { events } = await readJournal(folderOf(node, sessionId));
  const wanted = new Set(versions);
  const fitting: RawEvent[] = [];
  let bytes = 0;
  for (const event of events.filter(({ version }) => wanted.has(version))) {
    bytes += JSON.stringify(event).length;
    if (bytes > replyBytes && fitting.length > 0) break;
    fitting.push(event);
  }

  return { events: fitting };
};
