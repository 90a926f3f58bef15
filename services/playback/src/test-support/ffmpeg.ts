import { debianPackages, runCommand } from '@reelstream/testing';
import { readFile } from 'node:fs/promises';

/** Debian's ffmpeg, whose word counts where ours is judged: nothing of it is ours. */
const ffmpeg = async (args: readonly string[]): Promise<string> => {
  const packages = await debianPackages('ffmpeg');

  return runCommand(packages.command('ffmpeg', ['-hide_banner', '-nostdin', '-y', ...args]));
};

/** The sound of a file as Debian's ffmpeg decodes it: samples of each channel at a rate. */
export const decodedBy = async (
  path: string,
  sampleRate: number,
  channels: number,
): Promise<Int16Array[]> => {
  const raw = `${path}.${sampleRate}.raw`;
  const shape = ['-ar', String(sampleRate), '-ac', String(channels), '-f', 's16le'];
  await ffmpeg(['-loglevel', 'error', '-i', path, '-vn', ...shape, raw]);
  const bytes = await readFile(raw);
  const frames = Math.floor(bytes.length / 2 / channels);

  return Array.from({ length: channels }, (_, c) =>
    Int16Array.from({ length: frames }, (__, i) => bytes.readInt16LE((i * channels + c) * 2)),
  );
};

export type Stream = {
  readonly codec_name: string;
  readonly codec_type: string;
  readonly duration?: string;
  readonly start_time?: string;
  readonly width?: number;
  readonly height?: number;
  readonly nb_read_frames?: string;
};

/** The streams of a file as Debian's ffprobe finds them, frames counted by decoding them. */
export const probed = async (path: string): Promise<readonly Stream[]> => {
  const packages = await debianPackages('ffmpeg');
  const args = ['-v', 'error', '-count_frames', '-show_streams', '-of', 'json', path];
  const { streams } = JSON.parse(await runCommand(packages.command('ffprobe', args))) as {
    streams: readonly Stream[];
  };

  return streams;
};

/** How much the pictures of two files are alike, by Debian's ffmpeg: the mean of their PSNR in dB. */
export const likeness = async (path: string, other: string): Promise<number> => {
  const stats = `${path}.psnr`;
  const filter = `[0:v]setpts=N/TB/15[a];[1:v]setpts=N/TB/15[b];[a][b]psnr=stats_file=${stats}`;
  await ffmpeg(['-loglevel', 'error', '-i', path, '-i', other, '-lavfi', filter, '-f', 'null', '-']);
  const each = [...(await readFile(stats, 'utf8')).matchAll(/psnr_avg:([\d.]+)/g)].map(([, dB]) =>
    Number(dB),
  );

  return each.reduce((sum, dB) => sum + dB, 0) / each.length;
};
