import { readTelephoneEvent } from '@reelstream/rtp/payload';
import type { Channel } from '../codec/channels.ts';
import { secondsAt } from '../core/layout.ts';
import type { SegmentClock } from '../core/layout.ts';
import type { ToneList } from '../core/tones.ts';
import type { OpenDecoder } from './decoder.ts';
import { RenderError } from './errors.ts';
import { InOrder } from './in-order.ts';
import { Listeners } from './listeners.ts';
import type { MonoFile } from './mono-file.ts';
import { Pauses } from './pauses.ts';
import { RunWriter } from './run-writer.ts';
import { clockedPackets } from './track-packets.ts';
import type { ReadOutcome, TrackSource } from './track-packets.ts';

export type RenderOutcome = ReadOutcome & {
  /** Frames that their decoder, or their payload format, made nothing of. */
  undecoded: number;
  /** Packets that came twice, or much too late. */
  repeats: number;
};

export type TrackRendering = {
  readonly source: TrackSource;
  readonly channel: Channel;
  readonly clocks: readonly SegmentClock[];
  readonly target: MonoFile;
  /** Hz of the target. */
  readonly rate: number;
  /** No sample may lie behind this. */
  readonly mostSamples: number;
  readonly open: OpenDecoder;
};

/** Second reading: decodes a track into its file. Throws RenderError `TOO_LONG`. */
export const renderTrack = async (job: TrackRendering): Promise<RenderOutcome> => {
  const { clocks, channel, rate } = job;
  const outcome: RenderOutcome = { strays: 0, damage: undefined, undecoded: 0, repeats: 0 };
  const writer = new RunWriter(job.target, rate);
  const order = new InOrder();
  const pauses = new Pauses();
  using listeners = new Listeners(job.open);
  const hear = async ({
    payload: { segment, ticks, packet },
    follows,
  }: ReturnType<InOrder['push']>[number]) => {
    const clock = clocks[segment];
    const { header, bytes } = packet.payload;
    const use = channel.uses.get(header.payloadType);
    if (!clock || !use) return;
    if (secondsAt(clock, ticks) * rate > job.mostSamples) throw new RenderError('TOO_LONG');
    for (const { timestamp, pcm } of pauses.until({ segment, ticks, follows, use, payload: bytes }))
      await writer.write(clock, timestamp, pcm);
    if (use.kind !== 'audio') return;
    const listener = listeners.get(segment, header.payloadType, use.codec);
    const media = { payload: bytes, marker: header.marker, timestamp: ticks, follows };
    for (const { timestamp, pcm } of listener.hear(media)) await writer.write(clock, timestamp, pcm);
  };
  for await (const packets of clockedPackets(job.source, outcome))
    for (const packet of packets) for (const each of order.push(packet)) await hear(each);
  for (const each of order.finish()) await hear(each);
  await writer.finish();
  await job.target.flush();
  outcome.undecoded = listeners.undecoded;
  outcome.repeats = order.repeats;

  return outcome;
};

/** Second reading for the tones alone. */
export const listTones = async (
  source: TrackSource,
  clocks: readonly SegmentClock[],
  tones: ToneList,
): Promise<void> => {
  const outcome: ReadOutcome = { strays: 0, damage: undefined };
  for await (const packets of clockedPackets(source, outcome)) {
    for (const { segment, ticks, packet } of packets) {
      const clock = clocks[segment];
      const event = packet.timed ? undefined : readTelephoneEvent(packet.payload.bytes);
      if (clock && event) tones.add(`${segment}/${ticks}`, secondsAt(clock, ticks), clock.clockRate, event);
    }
  }
};
