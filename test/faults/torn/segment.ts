import { SegmentStore } from '@reelstream/recording';
import type { Random } from '../../support/random.ts';
import type { FaultRow } from '../fault-case.ts';
import { eachDamage } from './damage.ts';
import type { Damaged, Kind } from './damage.ts';
import { packetsOfBeat } from './recorded.ts';
import type { Recorded } from './recorded.ts';
import { Tally } from './tally.ts';

const flips = 20_000;
/** libs/recording, segment-format.ts. */
const blockHeaderLength = 52;

type Block = { readonly from: number; readonly to: number; readonly payload: string };

type Read = { readonly blocks: ReadonlyMap<number, Block>; readonly damage: readonly string[] };

/** Every block of media, by where it begins. */
const read = (segments: string): Read => {
  using store = new SegmentStore(segments);
  const { sessions, damage } = store.scan();
  const places = [...sessions.values()].flatMap((tracks) => [...tracks.values()].flat());
  const blocks = places.map((place): Block => {
    const payload = store.block(place)?.payload;
    if (!payload) throw new Error(`the block at ${place.offset} was found, and can't be read`);
    const from = place.offset;

    return { from, to: from + blockHeaderLength + payload.length, payload: payload.toString('latin1') };
  });

  return { blocks: new Map(blocks.map((block) => [block.from, block])), damage };
};

/** The last second of a segment cut at every byte, zeroed from every byte on; bits of all of it flipped: what a scan finds. */
export const tearSegment = async (recorded: Recorded, kind: Kind, random: Random): Promise<FaultRow> => {
  const { segments, segment, segmentBytes, lastSecond } = recorded;
  const { blocks: original } = read(segments);
  const tally = new Tally();
  const look = ({ at, isWhole }: Damaged) => {
    const { blocks, damage } = read(segments);
    const whole = [...original.values()].filter(({ from, to }) => isWhole(from, to));
    const torn = [...original.values()].filter(
      ({ from, to }) => !isWhole(from, to) && (kind !== 'cut' || (from < at && at < to)),
    );
    const invented = [...blocks.values()].filter(
      ({ from, payload }) => original.get(from)?.payload !== payload,
    );

    return {
      whole: whole.length * packetsOfBeat,
      kept: whole.filter(({ from }) => blocks.has(from)).length * packetsOfBeat,
      invented: invented.length,
      unsaid: torn.length > 0 && damage.length === 0,
    };
  };
  const from = kind === 'flip' ? 0 : lastSecond;
  await eachDamage(segment, segmentBytes, { kind, from, flips, random }, (damaged) =>
    tally.judge(() => look(damaged)),
  );

  return tally.row(`segment: ${kind}`, 'packets');
};
