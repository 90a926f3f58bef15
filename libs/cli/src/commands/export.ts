import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { textOption } from '../command.ts';
import type { Command } from '../command.ts';
import { CliError, exitCodes, usageError } from '../errors.ts';
import { formatBytes } from '../table.ts';

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

const mediaPath = (sessionId: string, track: string | undefined): string => {
  if (track !== undefined && !/^\d{1,4}$/.test(track))
    throw usageError(`--track ${track} is no track number`);
  const session = `/sessions/${encodeURIComponent(sessionId)}`;

  return track === undefined ? `${session}/recording.wav` : `${session}/tracks/${track}.rtpdump`;
};

export const exportCommand: Command = {
  name: 'export',
  summary: 'save a recording as WAV, or a track as rtpdump',
  help: `Usage: reel export SESSION -o FILE [--track N] [--json]

Saves the recording of a session as WAV, one channel for each party; with --track the packets of one
track as rtpdump, which Wireshark and rtptools open.

  -o, --output FILE   where to save it; - is standard output
  --track N           that track's packets instead; the first is 0

Examples:
  reel export 019ab2c4-7c1e-7d5a-9d0c-0a1b2c3d4e5f -o call.wav
  reel export 019ab2c4-7c1e-7d5a-9d0c-0a1b2c3d4e5f -o - | ffplay -
  reel export 019ab2c4-7c1e-7d5a-9d0c-0a1b2c3d4e5f --track 0 -o agent.rtpdump
`,
  options: { output: { type: 'string', short: 'o' }, track: { type: 'string' } },
  positionals: [1, 1],
  run: async ({ values, positionals: [sessionId = ''], output, api, interrupted }) => {
    const path = textOption(values, 'output');
    if (path === undefined) throw usageError('where to? Give -o FILE, or -o - for standard output');
    const response = await api.open(mediaPath(sessionId, textOption(values, 'track')), {
      accept: '*/*',
      signal: interrupted,
    });
    if (!response.body) throw new CliError('the server sent no media');
    const silent = response.headers.get('reel-silent-tracks');
    if (silent !== null) output.say(`Not decodable yet, silent here: ${silent}`);
    if (path === '-') return pipeline(Readable.fromWeb(response.body), process.stdout, { end: false });
    const sizeBytes = await saveTo(path, response.body);
    if (output.json) output.value({ sessionId, file: path, sizeBytes });
    else output.line(`${path}  ${formatBytes(sizeBytes)}`);
  },
};
