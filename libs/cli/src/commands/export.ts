import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Api } from '../api.ts';
import { textOption } from '../command.ts';
import type { Command } from '../command.ts';
import { CliError, exitCodes, usageError } from '../errors.ts';
import type { Output } from '../output.ts';
import { progressBar } from '../progress-bar.ts';
import { formatBytes } from '../table.ts';

const formats = ['wav', 'mp4', 'opus', 'mp3'] as const;
const longestWaitMs = 5_000;

const saveTo = async (path: string, body: ReadableStream<Uint8Array>): Promise<number> => {
  const draft = `${path}.part`;
  try {
    await pipeline(Readable.fromWeb(body), createWriteStream(draft));
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(`${path} could not be written: ${reason}`, exitCodes.failed, { cause: error });
  }

  return (await stat(path)).size;
};

/** The format that is asked for, by name or by the file's ending; WAV without either. */
export const formatOf = (named: string | undefined, path: string): string => {
  const ending = extname(path).slice(1).toLowerCase();
  const format = named ?? (ending === 'ogg' ? 'opus' : formats.find((each) => each === ending)) ?? 'wav';
  if (!formats.some((each) => each === format)) throw usageError(`--format is one of ${formats.join(', ')}`);

  return format;
};

const mediaPath = (sessionId: string, format: string, track: string | undefined): string => {
  if (track !== undefined && !/^\d{1,4}$/.test(track))
    throw usageError(`--track ${track} is no track number`);
  const session = `/sessions/${encodeURIComponent(sessionId)}`;

  return track === undefined ? `${session}/recording.${format}` : `${session}/tracks/${track}.rtpdump`;
};

const waitOf = (response: Response): number =>
  Math.min(longestWaitMs, Math.max(0.2, Number(response.headers.get('retry-after') ?? 1)) * 1_000);

/** Asks until the file is made, and shows how far that is. */
const openMade = async (
  api: Api,
  path: string,
  output: Output,
  signal: AbortSignal | undefined,
): Promise<Response> => {
  for (;;) {
    const response = await api.open(path, {
      accept: '*/*',
      prefer: 'respond-async',
      ...(signal ? { signal } : {}),
    });
    if (response.status !== 202) return response;
    const { state, progress = 0 } = (await response.json()) as { state?: string; progress?: number };
    output.progress(state === 'waiting' ? 'waiting for its turn' : progressBar(progress));
    await delay(waitOf(response), undefined, signal ? { signal } : {});
  }
};

export const exportCommand: Command = {
  name: 'export',
  summary: 'save a recording as WAV, MP4, Opus or MP3, or a track as rtpdump',
  help: `Usage: reel export SESSION -o FILE [--format wav|mp4|opus|mp3] [--track N] [--json]

Saves the recording of a session: as WAV with one channel for each party, as MP4 (AAC, and video that
came as H.264), as Opus in Ogg, or as MP3, the parties left and right. With --track the packets of one
track as rtpdump, which Wireshark and rtptools open.

  -o, --output FILE   where to save it; - is standard output
  --format FORMAT     by default what the file's ending says, else wav
  --track N           that track's packets instead; the first is 0

Examples:
  reel export 019ab2c4-7c1e-7d5a-9d0c-0a1b2c3d4e5f -o call.wav
  reel export 019ab2c4-7c1e-7d5a-9d0c-0a1b2c3d4e5f -o call.mp3
  reel export 019ab2c4-7c1e-7d5a-9d0c-0a1b2c3d4e5f -o - | ffplay -
  reel export 019ab2c4-7c1e-7d5a-9d0c-0a1b2c3d4e5f --track 0 -o agent.rtpdump
`,
  options: {
    output: { type: 'string', short: 'o' },
    format: { type: 'string' },
    track: { type: 'string' },
  },
  positionals: [1, 1],
  run: async ({ values, positionals: [sessionId = ''], output, api, interrupted }) => {
    const path = textOption(values, 'output');
    if (path === undefined) throw usageError('where to? Give -o FILE, or -o - for standard output');
    const format = formatOf(textOption(values, 'format'), path);
    const media = mediaPath(sessionId, format, textOption(values, 'track'));
    const response = await openMade(api, media, output, interrupted);
    if (!response.body) throw new CliError('the server sent no media');
    const silent = response.headers.get('reel-silent-tracks');
    if (silent !== null) output.say(`Not decodable, silent here: ${silent}`);
    if (path === '-') return pipeline(Readable.fromWeb(response.body), process.stdout, { end: false });
    const sizeBytes = await saveTo(path, response.body);
    if (output.json) output.value({ sessionId, file: path, sizeBytes });
    else output.line(`${path}  ${formatBytes(sizeBytes)}`);
  },
};
