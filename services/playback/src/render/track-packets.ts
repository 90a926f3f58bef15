import { DamagedFileError, readTrackPackets } from '@reelstream/recording';
import { readRtpHeader } from '@reelstream/rtp';
import type { RtpHeader } from '@reelstream/rtp';
import { SenderClocks } from '../core/sender-clocks.ts';
import type { ClockedPacket } from '../core/sender-clocks.ts';

export type PacketBytes = { readonly header: RtpHeader; readonly bytes: Uint8Array };
export type TrackPackets = ReadonlyMap<number, { readonly kind: string; readonly clockRate: number }>;

export type ReadOutcome = { strays: number; damage: string | undefined };

export type TrackSource = {
  /** Folder of the recording. */
  readonly folder: string;
  readonly trackNumber: number;
  /** What is read, by payload type. */
  readonly uses: TrackPackets;
  /** Told after some packets how many bytes were read. */
  readonly onRead: (bytes: number) => void;
};

const packetsBetweenReports = 2_000;

/**
 * The packets of a track, each with the segment of its sender's clock: the same at every reading. Of a damaged file, all
 * that is whole; `outcome` says what was left out.
 */
export async function* clockedPackets(
  source: TrackSource,
  outcome: ReadOutcome,
): AsyncGenerator<readonly ClockedPacket<PacketBytes>[]> {
  const clocks = new SenderClocks<PacketBytes>();
  let count = 0;
  try {
    for await (const { channel, arrivalNs, packet, bytesRead } of readTrackPackets(
      source.folder,
      source.trackNumber,
    )) {
      if (++count % packetsBetweenReports === 0) source.onRead(bytesRead);
      const header = channel === 'rtp' ? readRtpHeader(packet) : undefined;
      const use = header && source.uses.get(header.payloadType);
      if (!header || !use) continue;
      const { ssrc, timestamp, payloadOffset, payloadEnd } = header;
      const payload = { header, bytes: packet.subarray(payloadOffset, payloadEnd) };
      const { clockRate, kind } = use;
      const arrivalS = arrivalNs / 1e9;
      const placed = clocks.push({
        arrivalS,
        ssrc,
        timestamp,
        clockRate,
        timed: kind !== 'tones',
        payload,
      });
      if (placed.length > 0) yield placed;
    }
  } catch (error) {
    if (!(error instanceof DamagedFileError)) throw error;
    outcome.damage = error.message;
  }
  yield clocks.finish();
  outcome.strays = clocks.strays;
}
