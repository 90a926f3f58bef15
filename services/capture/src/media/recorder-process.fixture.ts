/** A process that records one session until it is killed: `node recorder-process.fixture.ts <options as JSON>`. */
import { argv, stdout } from 'node:process';
import { openRecorder } from './index.ts';
import type { RecorderOptions } from './types.ts';

type Argument = Omit<RecorderOptions, 'listener'> & { readonly sessionId: string };

const { sessionId, ...options } = JSON.parse(argv[2] ?? '') as Argument;
const recorder = await openRecorder({ ...options, listener: () => undefined });
const tracks = [0, 1].map((trackNumber) => ({ trackNumber, mediaType: 'audio' }) as const);
stdout.write(`${JSON.stringify(await recorder.allocate(sessionId, tracks, '127.0.0.1'))}\n`);
