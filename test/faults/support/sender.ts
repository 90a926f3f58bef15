import { runCommand } from '@reelstream/testing';
import { compile } from '../../bench/capture/programs.ts';

/** What the sender in C says of its run. */
export type Sent = { readonly sent: number; readonly failed: number; readonly latestTickMs: number };

/** Sends 50 packets of G.711 a second to each port for so many seconds; from a core of its own, and before others, where it may. */
export type Sender = (ports: readonly number[], seconds: number) => Promise<Sent>;

/** Compiles it into `dir`. */
export const openSender = async (dir: string): Promise<Sender> => {
  const file = await compile('sender', dir);
  let ssrc = 0;

  return async (ports, seconds) => {
    ssrc += 100_000;
    const args = ['0', String(seconds), String(ssrc)];

    return JSON.parse(await runCommand({ file, args }, { input: ports.join('\n') })) as Sent;
  };
};
