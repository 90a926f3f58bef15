import { querySubject } from '@reelstream/events';
import type { JournalsReply } from '@reelstream/events';
import { waitFor } from '@reelstream/testing';
import { placeSiprecCall, sampleConversation } from '@reelstream/testing/callers';
import type { Archive } from '../support/archive.ts';

/** A session that differs, as `reel reconcile --json` tells it. */
export type SessionLine = {
  readonly kind: 'session';
  readonly sessionId: string;
  readonly events: readonly {
    readonly version?: number;
    readonly id?: string;
    readonly place?: string;
    readonly problem: string;
  }[];
  readonly row?: string;
  readonly damagedBytes?: number;
  readonly files?: readonly { readonly name: string; readonly problem: string }[];
  readonly mended?: boolean;
};

/** An event that no home wrote, and that differs. */
export type OtherEventLine = {
  readonly kind: 'event';
  readonly id?: string;
  readonly sequence?: number;
  readonly type?: string;
  readonly place?: string;
  readonly problem: string;
  readonly mended?: boolean;
};

/** A row that does not follow from its events. */
export type RowLine = {
  readonly kind: 'row';
  readonly table: string;
  readonly key: string;
  readonly problem: string;
  readonly mended?: boolean;
};

type SummaryLine = {
  readonly kind: 'summary';
  readonly sessions: number;
  readonly events: number;
  readonly otherEvents: number;
  readonly different: number;
  readonly mended: number;
  readonly homesAway: number;
  readonly stream: { readonly repeats: number; readonly outOfOrder: number; readonly invalid: number };
};

type Line = SessionLine | OtherEventLine | RowLine | SummaryLine;

const linesOf = (stdout: string): readonly Line[] =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);

/** Whatever differs, in short: `rule.created 019… database altered`, `node capture-1 missing`, `session 019… row altered`. */
export const namesOf = (stdout: string): readonly string[] =>
  linesOf(stdout)
    .flatMap((line): string[] => {
      switch (line.kind) {
        case 'event':
          return [
            [line.type ?? `message ${line.sequence}`, line.id, line.place, line.problem]
              .filter((part) => part !== undefined)
              .join(' '),
          ];
        case 'row':
          return [`${line.table} ${line.key} ${line.problem}`];
        case 'session':
          return [
            ...faultsOf(line).map((fault) => `session ${line.sessionId} ${fault}`),
            ...(line.row === undefined ? [] : [`session ${line.sessionId} row ${line.row}`]),
          ];
        case 'summary':
          return [];
      }
    })
    .toSorted();

/** What was not mended, in the same way. */
export const leftOf = (stdout: string): readonly string[] =>
  namesOf(
    linesOf(stdout)
      .filter((line) => line.kind !== 'summary' && line.mended !== true)
      .map((line) => JSON.stringify(line))
      .join('\n'),
  );

export const differencesOf = (stdout: string): readonly SessionLine[] =>
  linesOf(stdout).filter((line) => line.kind === 'session');

export const summaryOf = (stdout: string): SummaryLine => {
  const found = linesOf(stdout).find((line) => line.kind === 'summary');
  if (!found) throw new Error(`no summary in:\n${stdout}`);

  return found;
};

/** What is wrong, in short: `3 stream missing`. */
export const faultsOf = (line: SessionLine | undefined): readonly string[] =>
  (line?.events ?? []).map(({ version, id, place, problem }) => `${version ?? id} ${place ?? ''} ${problem}`);

const placeCall = async ({ home }: Archive): Promise<void> => {
  const { agent, customer } = sampleConversation();
  await using call = await placeSiprecCall({
    target: `sip:record@127.0.0.1:${home.port}`,
    durationMs: 200,
    legs: [
      { codec: 'PCMU', audio: { samples: agent }, address: 'sip:7301@192.0.2.10', name: 'Agent' },
      { codec: 'PCMA', audio: { samples: customer }, address: 'sip:7300@192.0.2.10', name: 'Customer' },
    ],
  });
  await call.mediaSent;
  await call.hangUp();
};

/** Records so many more calls, some at a time. Resolves with the ids of all sessions, in their order, once these are sealed. */
export const recordCalls = async (archive: Archive, count: number): Promise<readonly string[]> => {
  const before = (await sealedSessions(archive, 0)).length;
  for (let placed = 0; placed < count; placed += 5)
    await Promise.all(Array.from({ length: Math.min(5, count - placed) }, () => placeCall(archive)));

  return sealedSessions(archive, before + count);
};

/** The ids of all sessions, once so many are sealed. */
export const sealedSessions = ({ store }: Archive, count: number): Promise<readonly string[]> =>
  waitFor(
    async () => {
      const rows = await store.db
        .selectFrom('event')
        .select('subject')
        .where('type', '=', 'recording.sealed')
        .where('applied', '=', true)
        .orderBy('subject')
        .execute();

      return rows.length >= count ? rows.map(({ subject }) => subject) : undefined;
    },
    { deadlineMs: 30_000, describe: `${count} sealed sessions in the database` },
  );

/** Waits until the home has nothing in its outbox: every database has all that it said. */
export const released = async ({ bus, home }: Archive): Promise<void> => {
  const query = { name: 'journals', limit: 500, media: false };
  await waitFor(
    async () => {
      const { journals } = (await bus.request(querySubject(home.nodeId), query, 5_000)) as JournalsReply;

      return journals.every(({ underWay }) => !underWay) || undefined;
    },
    { deadlineMs: 30_000, describe: 'the outbox to be empty' },
  );
};
