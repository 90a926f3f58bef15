import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withOpenFiles } from '@reelstream/testing';
import type { MountableDisk } from '@reelstream/testing';
import { startSipServerProcess } from './front-door.ts';
import { startProgram } from './program.ts';
import type { Program } from './program.ts';

/** A capture process with a SIP server and folders of its own. */
export type Home = AsyncDisposable & {
  readonly nodeId: string;
  readonly port: number;
  readonly capture: Program;
  /** Where its recordings lie. */
  readonly recordings: string;
};

const host = '127.0.0.1';
const main = fileURLToPath(new URL('../../services/capture/src/main.ts', import.meta.url));

/** Starts a home; resolves when it takes SIP, which is before pilots have heard of it. */
export const startHome = async (options: {
  readonly natsUrl: string;
  readonly natsReplicas: number;
  readonly clusterKey: string;
  readonly nodeId: string;
  /** `low-high`; no two homes of one machine share any. */
  readonly rtpPorts: string;
  /** Streams. */
  readonly capacity: number;
  /** The file system on which all of it lies. Default: that of the temporary files. */
  readonly disk?: MountableDisk;
  /** How many files the capture process may have open. Default: as many as this one. */
  readonly openFiles?: number;
}): Promise<Home> => {
  const { nodeId } = options;
  await using started = new AsyncDisposableStack();
  const { port, server, url } = await startSipServerProcess({ nodeId });
  started.use(server);
  const folder = await mkdtemp(join(tmpdir(), 'reel-home-'));
  started.defer(() => rm(folder, { recursive: true, force: true }));
  const { disk } = options;
  if (disk) {
    await disk.mount(folder);
    started.defer(() => disk.unmount());
  }
  const recordings = join(folder, 'recordings');
  const program = {
    file: process.execPath,
    args: [main],
    env: {
      NATS_URL: options.natsUrl,
      REEL_NATS_REPLICAS: String(options.natsReplicas),
      REEL_CLUSTER_KEY: options.clusterKey,
      REEL_NODE_ID: nodeId,
      REEL_HOST_ID: nodeId,
      REEL_HOST: host,
      REEL_CAPTURE_SIP_PORT: String(port),
      REEL_RTP_PORTS: options.rtpPorts,
      REEL_CAPTURE_CAPACITY: String(options.capacity),
      REEL_RECORDINGS_DIR: recordings,
      REEL_CAPTURE_DIR: join(folder, 'capture'),
      CAPTURE_SIP_SERVER: url,
    },
  };
  const capture = started.use(startProgram(withOpenFiles(program, options.openFiles)));
  await capture.printed(/"connected":true/);
  const stack = started.move();

  return { nodeId, port, capture, recordings, [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose]() };
};
