import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { rtpdumpFile } from '@reelstream/recording';
import { sampleRate } from '../core/channels.ts';
import type { Channel } from '../core/channels.ts';
import { interleave } from './interleave.ts';
import { MonoFile } from './mono-file.ts';
import { renderTrack } from './render-track.ts';

export type TrackNote = {
  readonly trackNumber: number;
  readonly strays: number;
  readonly damage: string | undefined;
};

/**
 * Renders a recording into `<workFolder>/recording.wav` with bounded memory, whatever its length; the folder, which
 * must be there and empty, holds the channels meanwhile. Throws ExportError `WAV_TOO_LARGE`.
 */
export const renderWav = async (
  recording: string,
  channels: readonly Channel[],
  workFolder: string,
): Promise<{ readonly path: string; readonly notes: readonly TrackNote[] }> => {
  await using files = new AsyncDisposableStack();
  const notes: TrackNote[] = [];
  const rendered: MonoFile[] = [];
  for (const channel of channels) {
    const { trackNumber } = channel;
    const mono = files.use(await MonoFile.create(join(workFolder, `track-${trackNumber}.pcm`)));
    rendered.push(mono);
    if (channel.decoders.size === 0) continue;
    const outcome = await renderTrack(join(recording, rtpdumpFile(trackNumber)), channel, mono);
    if (outcome.strays > 0 || outcome.damage !== undefined) notes.push({ trackNumber, ...outcome });
  }

  const path = join(workFolder, 'recording.wav');
  const target = await open(path, 'wx', 0o600);
  files.defer(() => target.close());
  await interleave(rendered, target, sampleRate);

  return { path, notes };
};
