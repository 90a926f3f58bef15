import { DamagedFileError, readRtpdump } from '@reelstream/recording';
import { decodePcma, decodePcmu, readRtpHeader } from '@reelstream/rtp';
import { sampleRate } from '../core/channels.ts';
import type { Channel, Decoder } from '../core/channels.ts';
import { Timeline } from '../core/timeline.ts';
import type { PlacedPacket } from '../core/timeline.ts';
import { fitsWav } from '../core/wav.ts';
import { ExportError } from './errors.ts';
import type { MonoFile } from './mono-file.ts';

const decode = { PCMU: decodePcmu, PCMA: decodePcma } as const;

type Encoded = { readonly decoder: Decoder; readonly bytes: Uint8Array };

export type RenderOutcome = {
  /** Packets of no place on the clock. */
  readonly strays: number;
  /** What is wrong with the packets file, of which all that is whole was rendered. */
  readonly damage: string | undefined;
};

/**
 * Renders the packets of one track into a file, samples counted from the start of the session. Throws ExportError
 * `WAV_TOO_LARGE` as soon as no WAV file could hold them.
 */
export const renderTrack = async (
  rtpdump: string,
  channel: Channel,
  target: MonoFile,
): Promise<RenderOutcome> => {
  const timeline = new Timeline<Encoded>(sampleRate);
  const write = async (placed: readonly PlacedPacket<Encoded>[]): Promise<void> => {
    for (const { position, payload } of placed) {
      if (!fitsWav({ channels: 1, frames: position })) throw tooLarge();
      await target.write(position, decode[payload.decoder](payload.bytes));
    }
  };

  let damage: string | undefined;
  try {
    for await (const { channel: kind, offsetMs, packet } of readRtpdump(rtpdump)) {
      const header = kind === 'rtp' ? readRtpHeader(packet) : undefined;
      const decoder = header && channel.decoders.get(header.payloadType);
      if (!header || !decoder) continue;
      const bytes = packet.subarray(header.payloadOffset, header.payloadEnd);
      const { ssrc, timestamp } = header;
      const samples = bytes.length;
      await write(
        timeline.push({ arrivalMs: offsetMs, ssrc, timestamp, samples, payload: { decoder, bytes } }),
      );
    }
  } catch (error) {
    if (!(error instanceof DamagedFileError)) throw error;
    damage = error.message;
  }
  await write(timeline.finish());
  await target.flush();

  return { strays: timeline.strays, damage };
};

export const tooLarge = (): ExportError =>
  new ExportError(
    'WAV_TOO_LARGE',
    'the recording is longer than a WAV file of 4 GiB holds: fetch its tracks as rtpdump',
  );
