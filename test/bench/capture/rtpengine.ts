import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { debianPackages, freePort, waitFor } from '@reelstream/testing';
import type { Receiver } from './measure.ts';
import { judged, talkTo } from './programs.ts';
import type { Place } from './receivers.ts';

type Value = string | number | readonly Value[] | { readonly [key: string]: Value };

/** Bencode, as rtpengine's ng protocol has it. */
const bencode = (value: Value): string => {
  if (typeof value === 'number') return `i${value}e`;
  if (typeof value === 'string') return `${Buffer.byteLength(value)}:${value}`;
  if (Array.isArray(value)) return `l${(value as readonly Value[]).map(bencode).join('')}e`;

  return `d${Object.entries(value)
    .map(([key, inside]) => bencode(key) + bencode(inside))
    .join('')}e`;
};

/** The ng protocol over UDP: a cookie, and a dictionary. */
class Control {
  readonly #socket: Socket;
  readonly #port: number;
  readonly #waiting = new Map<string, (answer: string) => void>();
  #cookie = 0;

  constructor(socket: Socket, port: number) {
    this.#socket = socket;
    this.#port = port;
    socket.on('message', (message) => {
      const text = message.toString('latin1');
      const space = text.indexOf(' ');
      this.#waiting.get(text.slice(0, space))?.(text.slice(space + 1));
    });
  }

  /** Rejects where it refuses, or doesn't answer in time. */
  async ask(request: Value, deadlineMs = 10_000): Promise<string> {
    const cookie = `c${++this.#cookie}`;
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    this.#waiting.set(cookie, resolve);
    const impatience = setTimeout(() => reject(new Error('rtpengine does not answer')), deadlineMs);
    this.#socket.send(`${cookie} ${bencode(request)}`, this.#port, '127.0.0.1');
    try {
      const answer = await promise;
      if (answer.includes('6:result5:error')) throw new Error(`rtpengine: ${answer}`);

      return answer;
    } finally {
      clearTimeout(impatience);
      this.#waiting.delete(cookie);
    }
  }

  close(): void {
    this.#socket.close();
  }
}

const sdp = (port: number): string =>
  [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=audio ${port} RTP/AVP 0`,
    'a=rtpmap:0 PCMU/8000',
    '',
  ].join('\r\n');

const portIn = (answer: string): number => Number(/m=audio (\d+)/.exec(answer)?.[1]);

/** Where the callers would listen: nothing is sent there. */
const callerPort = 9;

/** A recorded call whose media goes nowhere but to the disk; returns the ports of both sides. */
const call = async (control: Control, id: string): Promise<readonly number[]> => {
  const names = { 'call-id': id, 'from-tag': 'a' };
  const offered = await control.ask({ command: 'offer', ...names, sdp: sdp(callerPort), ICE: 'remove' });
  const both = { ...names, 'to-tag': 'b' };
  const answered = await control.ask({ command: 'answer', ...both, sdp: sdp(callerPort), ICE: 'remove' });
  await control.ask({ command: 'block media', 'call-id': id, all: 'all' });
  await control.ask({ command: 'start recording', 'call-id': id });

  return [portIn(offered), portIn(answered)];
};

const pcapHeader = 24;
/** Header of the record, Ethernet, IP, UDP, and the packet. */
const pcapRecord = 16 + 14 + 20 + 8 + 172;

const packetsIn = async (folder: string): Promise<number> => {
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.pcap'));
  const sizes = await Promise.all(files.map(async (name) => (await stat(join(folder, name))).size));

  return sizes.reduce((sum, size) => sum + Math.max(0, Math.floor((size - pcapHeader) / pcapRecord)), 0);
};

/** Debian's rtpengine in user space, one thread for media, blocked, recording to pcap. */
export const startRtpengine = async (calls: number, { dir, core }: Place): Promise<Receiver> => {
  const debian = await debianPackages('rtpengine-daemon');
  const folder = await mkdtemp(join(dir, 'rtpengine-'));
  const port = await freePort();
  const args =
    '--foreground --table=-1 --num-threads=1 --log-stderr --log-level=2 --interface=127.0.0.1 ' +
    `--listen-ng=127.0.0.1:${port} --port-min=20000 --port-max=32767 ` +
    `--recording-method=pcap --recording-format=eth --recording-dir=${folder}`;
  const talker = talkTo(judged(debian.command('rtpengine', args.split(' ')), core));
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const control = new Control(socket, port);
  await waitFor(() => control.ask({ command: 'ping' }, 500).catch(() => undefined), {
    deadlineMs: 15_000,
    describe: 'rtpengine answers no ping',
  });
  const ports: number[] = [];
  for (let i = 0; i < calls; i++) ports.push(...(await call(control, `bench-${i}`)));

  return {
    pid: talker.pid,
    ports,
    kept: async () => {
      for (let i = 0; i < calls; i++)
        await control.ask({ command: 'delete', 'call-id': `bench-${i}`, 'delete-delay': 0 });

      return packetsIn(folder);
    },
    [Symbol.asyncDispose]: async () => {
      control.close();
      await talker[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
