import { DamagedFileError, readTrackPackets } from '@reelstream/recording';
import type { TrackPacket } from '@reelstream/recording';
import { readRtpHeader } from '@reelstream/rtp';
import type { RtpHeader } from '@reelstream/rtp';
import { SenderClocks } from '../core/sender-clocks.ts';
import type { ClockedPacket } from '../core/sender-clocks.ts';

export type PacketBytes = { readonly header: RtpHeader; readonly bytes: Uint8Array };
export type TrackUses = ReadonlyMap<number, { readonly kind: string; readonly clockRate: number }>;

export type ReadOutcome = { strays: number; damage: string | undefined };

export type TrackSource<Uses extends TrackUses = TrackUses> = {
  /** Folder of the recording. */
  readonly folder: string;
  readonly trackNumber: number;
  /** What is read, by payload type. */
  readonly uses: Uses;
  /** Told after some packets how many bytes were read. */
  readonly onRead: (bytes: number) => void;
  /** Told what came over RTCP. */
  readonly onRtcp?: (packet: Uint8Array) => void;
};

/**
 * The packets of a track, each with the segment of its sender's clock: the same at every reading. Of a damaged file, all
 * that is whole; `outcome` says what was left out.
 */
export async function* clockedPackets(
  source: TrackSource,
  outcome: ReadOutcome,
): AsyncGenerator<readonly ClockedPacket<PacketBytes>[]> {
  const clocks = new SenderClocks<PacketBytes>();
  try {
    for await (const { packets, bytesRead } of readTrackPackets(source.folder, source.trackNumber)) {
      source.onRead(bytesRead);
      if (source.onRtcp)
        for (const { channel, packet } of packets) if (channel === 'rtcp') source.onRtcp(packet);
      yield packets.flatMap((packet) => clock(clocks, source.uses, packet));
    }
  } catch (error) {
    if (!(error instanceof DamagedFileError)) throw error;
    outcome.damage = error.message;
  }
  yield clocks.finish();
  outcome.strays = clocks.strays;
}

const clock = (
  clocks: SenderClocks<PacketBytes>,
  uses: TrackUses,
  { channel, arrivalNs, packet }: TrackPacket,
): readonly ClockedPacket<PacketBytes>[] => {
  const header = channel === 'rtp' ? readRtpHeader(packet) : undefined;
  const use = header && uses.get(header.payloadType);
  if (!header || !use) return [];
  const { ssrc, timestamp, payloadOffset, payloadEnd } = header;

  return clocks.push({
    arrivalS: arrivalNs / 1e9,
    ssrc,
    timestamp,
    clockRate: use.clockRate,
    timed: use.kind !== 'tones',
    payload: { header, bytes: packet.subarray(payloadOffset, payloadEnd) },
  });
};
