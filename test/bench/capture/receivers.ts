import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Receiver } from './measure.ts';
import { judged, talkTo } from './programs.ts';
import type { Talker } from './programs.ts';

/** Below the range from which kernels give ports to clients, with room for 3,000 calls. */
const firstPort = 20_000;
const lastPort = 32_767;

/** Recordings that are sealed and read again; a disk that others use takes a second for each. */
const seals = 20;

export type Place = { readonly dir: string; readonly core: number | undefined };

const receiverOf = (
  talker: Talker,
  folder: string,
  ports: readonly number[],
  kept: () => Promise<number>,
): Receiver => ({
  pid: talker.pid,
  ports,
  kept,
  [Symbol.asyncDispose]: async () => {
    await talker[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  },
});

type Sealed = {
  readonly packets: number;
  readonly dropped: number;
  readonly sealed: number;
  /** Those whose files hold every packet that was received. */
  readonly sealedWhole: number;
  readonly troubles: readonly string[];
};

/** The product's own path: recorder, media thread, segment log, journals; some recordings are sealed, and must hold all
 * that was received. */
export const startProduct = async (
  packetSource: 'native' | 'dgram',
  calls: number,
  { dir, core }: Place,
): Promise<Receiver> => {
  const folder = await mkdtemp(join(dir, `${packetSource}-`));
  const options = {
    captureDir: join(folder, 'capture'),
    recordingsDir: join(folder, 'recordings'),
    ports: { first: firstPort, last: lastPort },
    capacity: 2 * calls,
    nodeId: 'bench-1',
    hostId: 'bench',
    epoch: 1,
    packetSource,
    calls,
    seals,
  };
  const script = new URL('../../../services/capture/src/media/bench-process.fixture.ts', import.meta.url);
  const args = [script.pathname, JSON.stringify(options)];
  const talker = talkTo(judged({ file: process.execPath, args }, core));
  const { make, ports } = JSON.parse(await talker.line()) as { make: string; ports: number[] };
  if (make !== packetSource) throw new Error(`asked for ${packetSource}, got ${make}`);

  return receiverOf(talker, folder, ports, async () => {
    talker.stdin.write('hang up\n');
    const line = await talker.line();
    const sealed = JSON.parse(line) as Sealed;
    if (sealed.sealedWhole !== sealed.sealed || sealed.troubles.length > 0) throw new Error(line);

    return sealed.packets - sealed.dropped;
  });
};

export const startFloor = async (program: string, calls: number, { dir, core }: Place): Promise<Receiver> => {
  const folder = await mkdtemp(join(dir, 'floor-'));
  const talker = talkTo(
    judged({ file: program, args: [join(folder, 'log'), String(2 * calls), String(firstPort)] }, core),
  );
  const ports = JSON.parse(await talker.line()) as number[];

  return receiverOf(talker, folder, ports, async () => {
    talker.signal('SIGTERM');

    return (JSON.parse(await talker.line()) as { packets: number }).packets;
  });
};
