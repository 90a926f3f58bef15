import { setTimeout as sleep } from 'node:timers/promises';
import { isOfSession } from '../core/incoming.ts';
import { tablesOf } from '../core/refold-facts.ts';
import { followingKeys, lookAtRows } from './following-rows.ts';
import type { FoundRow } from './following-rows.ts';
import { mendRows, mendShared } from './mend-shared.ts';
import type { Mending } from './mend.ts';
import { sharedReport } from './report.ts';
import type { RowReport, SharedReport } from './report.ts';
import { lookAtShared, sharedIds } from './shared-events.ts';
import type { FoundShared } from './shared-events.ts';
import { groundName } from './unproven.ts';
import type { Ground } from './unproven.ts';

/** What is told of a page: how much was compared, and each that differs. */
export type SharedPage = {
  readonly events: number;
  readonly reports: readonly (SharedReport | RowReport)[];
};

export type SharedOptions = {
  readonly mend: boolean;
  /** Most at a time. */
  readonly limit: number;
  /** How long what was said again may take to the stream. */
  readonly mendLimitMs: number;
  readonly lookIntervalMs: number;
};

/**
 * Compares, some at a time, what no home writes: first the events that API, nodes and watchdogs say, then the rows that follow from
 * them. Mends both where that is asked for. Those of sessions come later, and rest on these.
 */
export async function* compareShared(
  mending: Mending,
  options: SharedOptions,
): AsyncGenerator<SharedPage, void, undefined> {
  for await (const ids of sharedIds(mending, options.limit)) {
    const found = await lookAtShared(mending, ids);
    const left = options.mend ? await mendEvents(mending, found, options) : found;
    const faulty = left.filter(({ faults }) => faults.some(({ place }) => place === 'database'));
    await mending.unproven.add(faulty.flatMap(groundsOf));
    const isLeft = new Set(left.map(({ id }) => id));
    yield {
      events: ids.length,
      reports: found.flatMap((event) =>
        sharedReport(event, options.mend ? { mended: !isLeft.has(event.id) } : {}),
      ),
    };
  }
  for (const sequence of await mending.streamed.lostPlaces(mending.numbering, options.limit))
    yield {
      events: 0,
      reports: [{ kind: 'event', sequence, problem: 'lost', ...(options.mend && { mended: false }) }],
    };
  for await (const keys of followingKeys(mending.db, options.limit)) {
    const found = await lookAtProven(mending, keys);
    const left = options.mend && found.length > 0 ? await mendThese(mending, found) : found;
    const isLeft = new Set(left.map(nameOf));
    yield {
      events: 0,
      reports: found.map((row) => ({
        kind: 'row',
        ...row,
        ...(options.mend && { mended: !isLeft.has(nameOf(row)) }),
      })),
    };
  }
}

/** What follows from an event; also from what the database took it for, by its columns or by its envelope. */
const groundsOf = ({ family, key, type, row }: FoundShared): readonly string[] => {
  const types = new Set([type, ...(row ? [row.type, row.envelope.type] : [])]);
  const keys = new Set([key, ...(row ? [row.subject, row.envelope.subject] : [])]);
  const grounds: readonly Ground[] = [
    ...[...types].flatMap(tablesOf),
    ...(types.has('node.lost') ? (['home'] as const) : []),
    ...(isOfSession(family) || row?.family === 'annotation' ? (['session'] as const) : []),
  ];

  return grounds.flatMap((ground) => [...keys].map((each) => groundName(ground, each)));
};

const nameOf = ({ table, key }: FoundRow): string => groundName(table, key);

const lookAtProven = async (mending: Mending, keys: readonly string[]): Promise<readonly FoundRow[]> => {
  const found = await lookAtRows(mending, keys);
  const unproven = await mending.unproven.among(found.map(nameOf));

  return found.filter((row) => !unproven.has(nameOf(row)));
};

/** Returns what is still not as it should be. */
const mendEvents = async (
  mending: Mending,
  found: readonly FoundShared[],
  { mendLimitMs, lookIntervalMs }: SharedOptions,
): Promise<readonly FoundShared[]> => {
  const isMendable = ({ rightIn }: FoundShared): boolean => rightIn !== undefined;
  if (!found.some(isMendable)) return found;
  await mendShared(mending, found);
  const deadline = performance.now() + mendLimitMs;
  for (;;) {
    await mending.streamed.readOn();
    const left = await lookAtShared(
      mending,
      found.map(({ id }) => id),
    );
    if (!left.some(isMendable) || performance.now() > deadline) return left;
    await sleep(lookIntervalMs, undefined, { signal: mending.signal });
  }
};

const mendThese = async (mending: Mending, found: readonly FoundRow[]): Promise<readonly FoundRow[]> => {
  await mendRows(mending, found);

  return lookAtProven(mending, [...new Set(found.map(({ key }) => key))]);
};
