import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openJournal, readJournal } from '@reelstream/recording';
import type { Random } from '../../support/random.ts';
import type { FaultRow } from '../fault-case.ts';
import { eachDamage } from './damage.ts';
import type { Damaged, Kind } from './damage.ts';
import type { Recorded } from './recorded.ts';
import { Tally } from './tally.ts';

const flips = 20_000;
/** Opening a journal syncs it: of so many states, one is opened, and written on. */
const openedOf = 97;

type Line = { readonly from: number; readonly to: number; readonly version: number | undefined };

const linesOf = (bytes: Buffer): readonly Line[] => {
  const lines: Line[] = [];
  for (let from = 0; from < bytes.length;) {
    const to = bytes.indexOf('\n', from) + 1;
    const version = /"version":(\d+)/.exec(bytes.toString('utf8', from, to))?.[1];
    lines.push({ from, to, version: version === undefined ? undefined : Number(version) });
    from = to;
  }

  return lines;
};

/** Opens a copy and writes on: what was read stays, and what is written comes behind it. */
const goesOn = async ({ folder, journalFolder }: Recorded): Promise<void> => {
  const copy = join(folder, 'copy');
  await mkdir(copy, { recursive: true });
  await copyFile(join(journalFolder, 'journal.ndjson'), join(copy, 'journal.ndjson'));
  const before = await readJournal(copy);
  const journal = await openJournal(copy);
  const next = { ...(before.events[0] ?? never('the first event is gone')), version: before.lastVersion + 1 };
  await journal.append([next]);
  await journal.close();
  const { events } = await readJournal(copy);
  if (JSON.stringify(events) !== JSON.stringify([...before.events, next]))
    never('what was written behind damage is not read again');
};

const never = (why: string): never => {
  throw new Error(why);
};

/** A journal cut, zeroed or with a flipped bit: what is read of it, and what of it is written on. */
export const tearJournal = async (recorded: Recorded, kind: Kind, random: Random): Promise<FaultRow> => {
  const { journalFolder, journalBytes, lastEvents } = recorded;
  const lines = linesOf(journalBytes);
  const from =
    kind === 'flip' ? 0 : lines.filter(({ version }) => version !== undefined).at(-lastEvents)!.from;
  const whole = new Map(lines.flatMap((line) => (line.version === undefined ? [] : [[line.version, line]])));
  const originals = new Map(
    (await readJournal(journalFolder)).events.map((event) => [event.version, JSON.stringify(event)]),
  );
  const tally = new Tally();
  let states = 0;
  const look = async ({ at, isWhole }: Damaged) => {
    if (states++ % openedOf === 0) await goesOn(recorded);
    const { events, tail, damage } = await readJournal(journalFolder);
    const found = new Set(events.map(({ version }) => version));
    // A line without its line feed is not complete; where that is damaged and something follows, it is.
    const expected = [...whole.values()].filter((line) =>
      isWhole(line.from, kind === 'flip' ? line.to - 1 : line.to),
    );
    const known = events.filter((event) => originals.get(event.version) === JSON.stringify(event));

    return {
      whole: expected.length,
      kept: expected.filter(({ version }) => found.has(version!)).length,
      invented: events.length - known.length,
      unsaid: !lines.some(({ to }) => kind === 'cut' && to === at) && !tail && damage.length === 0,
    };
  };
  await eachDamage(
    join(journalFolder, 'journal.ndjson'),
    journalBytes,
    { kind, from, flips, random },
    (damaged) => tally.judge(() => look(damaged)),
  );

  return tally.row(`journal: ${kind}`, 'events');
};
