import type { Bus } from '@reelstream/bus';
import { understand } from '@reelstream/events';
import type { Command, RawEvent } from '@reelstream/events';
import { commandNode } from '../home-command.ts';
import type { SlowFactMirror } from '../slow-facts.ts';
import type { Place } from '../core/copies.ts';
import type { Places } from './collect.ts';
import type { Found } from './judge.ts';
import { mendDatabase } from './mend-database.ts';

export type Mending = Places & {
  readonly bus: Bus;
  readonly slowFacts: Pick<SlowFactMirror, 'reload'>;
  readonly signal: AbortSignal;
};

const replyLimitMs = 30_000;
/** A command goes in one message. */
const commandBytes = 400 * 1024;

const versionsWrongIn = ({ differences }: Found, place: Place): readonly number[] =>
  differences.flatMap(({ version, truth, faults }) =>
    truth && faults.some((fault) => fault.place === place) ? [version] : [],
  );

/**
 * Puts right what is wrong with a session, where somebody still knows how it was: the folder first, which then says again what
 * the stream lacks; and last the database. Whether it has helped is seen by looking again.
 */
export const mend = async (mending: Mending, found: Found): Promise<void> => {
  const wanted = found.differences.filter(({ truth }) => truth).map(({ version }) => version);
  const truths = await fetchTruths(mending, found, wanted);
  if (found.home !== undefined && found.isHomeAlive) await mendFolder(mending, found, found.home, truths);
  await mendStream(mending, found, truths);
  await mendDatabase(mending, found, truths);
};

/** The events as they should be, by version, from the nearest place that has them so. */
const fetchTruths = async (
  { bus, homes }: Mending,
  { sessionId, home, differences, streamed, stored }: Found,
  versions: readonly number[],
): Promise<ReadonlyMap<number, RawEvent>> => {
  const digests = new Map(differences.map(({ version, truth }) => [version, truth?.digest]));
  const truths = new Map<number, RawEvent>();
  for (const { version, digest, envelope } of stored.events)
    if (digests.get(version) === digest) truths.set(version, envelope);
  for (const { version, digest, sequence } of streamed) {
    const event = !truths.has(version) && digests.get(version) === digest && (await bus.events.at(sequence));
    if (event) truths.set(version, event.raw);
  }
  for (;;) {
    const missing = versions.filter((version) => !truths.has(version));
    const events =
      home === undefined || missing.length === 0 ? [] : await homes.eventsOf(home, sessionId, missing);
    if (events.length === 0) return truths;
    for (const event of events) truths.set(event.version, event);
  }
};

const tell = async ({ bus }: Mending, home: string, command: Command['command']): Promise<void> => {
  await commandNode(bus, home, command, replyLimitMs);
};

/** Some at a time: as many as a message takes, and at least one. */
const inLots = (events: readonly RawEvent[]): readonly RawEvent[][] => {
  const lots: RawEvent[][] = [];
  let bytes = Infinity;
  for (const event of events) {
    const size = JSON.stringify(event).length;
    if (bytes + size > commandBytes) {
      lots.push([]);
      bytes = 0;
    }
    lots.at(-1)?.push(event);
    bytes += size;
  }

  return lots;
};

const mendFolder = async (
  mending: Mending,
  found: Found,
  home: string,
  truths: ReadonlyMap<number, RawEvent>,
): Promise<void> => {
  const { sessionId, journal } = found;
  const lost = versionsWrongIn(found, 'folder').flatMap((version) => truths.get(version) ?? []);
  for (const events of inLots(lost)) await tell(mending, home, { name: 'mend-folder', sessionId, events });
  const manifest = journal?.files.some(({ name }) => name === 'manifest.json') ?? false;
  if (manifest || (lost.length === 0 && (journal?.damagedBytes ?? 0) > 0))
    await tell(mending, home, { name: 'mend-folder', sessionId, events: [], manifest });
};

/** A home says its own again. Where it is away, or has lost its folder for good, what the database kept is said for it. */
const mendStream = async (
  mending: Mending,
  found: Found,
  truths: ReadonlyMap<number, RawEvent>,
): Promise<void> => {
  const { bus, signal } = mending;
  const { sessionId, home, isHomeAlive } = found;
  const versions = versionsWrongIn(found, 'stream');
  if (versions.length === 0) return;
  if (home !== undefined && isHomeAlive)
    return tell(mending, home, { name: 'say-again', sessionId, versions: [...versions] });
  for (const version of versions) {
    const understood = understand(truths.get(version));
    if (understood.status === 'known') await bus.events.republish(understood.event, signal);
  }
};
