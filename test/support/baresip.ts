import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debianPackages, freePorts } from '@reelstream/testing';
import { startProgram } from './program.ts';
import type { Program } from './program.ts';

/** Debian's baresip: a real phone, on loopback, without sound card and screen. */
export type Baresip = AsyncDisposable & {
  readonly uri: string;
  readonly program: Program;
  /** A command of its menu, e.g. `dial` with a URI, or `hangup`. */
  command(name: string, params?: string): Promise<void>;
};

const audioModules: Readonly<Record<string, string>> = { PCMU: 'g711', PCMA: 'g711', G722: 'g722' };

/**
 * Starts one that speaks `voice` (WAV, mono, of the rate of its codecs) on every call, from its beginning, offers `codecs` in this order, and
 * takes every call that comes.
 */
export const startBaresip = async (options: {
  readonly voice: Buffer;
  readonly codecs: readonly string[];
  /** A test pattern as VP8. Default none. */
  readonly video?: boolean;
  /** Its media come by DTLS-SRTP, with RTCP on RTP's port or on its own. Default plain RTP. */
  readonly dtls?: 'mux' | 'apart';
}): Promise<Baresip> => {
  const debian = await debianPackages('baresip');
  const dir = await mkdtemp(join(tmpdir(), 'reelstream-baresip-'));
  const [sip = 0, control = 0] = await freePorts(2);
  const modules = new Set(options.codecs.map((codec) => audioModules[codec] ?? codec.toLowerCase()));
  const video = options.video
    ? [
        'video_source fakevideo,nil',
        'video_size 176x144',
        'video_fps 10',
        'module vp8.so',
        'module fakevideo.so',
      ]
    : [];
  const dtls = options.dtls
    ? ['module dtls_srtp.so', `rtcp_mux ${options.dtls === 'mux' ? 'yes' : 'no'}`]
    : [];
  await writeFile(join(dir, 'voice.wav'), options.voice);
  await writeFile(
    join(dir, 'config'),
    [
      `sip_listen 127.0.0.1:${sip}`,
      'net_interface 127.0.0.1',
      `audio_source aufile,${join(dir, 'voice.wav')}`,
      `audio_srate ${options.voice.readUInt32LE(24)}`,
      'audio_channels 1',
      `module_path ${join(debian.root, 'usr/lib/baresip/modules')}`,
      ...[...modules].map((name) => `module ${name}.so`),
      'module aufile.so',
      ...video,
      ...dtls,
      'module ctrl_tcp.so',
      `ctrl_tcp_listen 127.0.0.1:${control}`,
      'module_app account.so',
      'module_app menu.so',
      '',
    ].join('\n'),
  );
  const codecs = options.codecs.map((codec) => `${codec}/${codec === 'G722' ? 16_000 : 8_000}/1`).join(',');
  await writeFile(
    join(dir, 'accounts'),
    `<sip:phone@127.0.0.1:${sip}>;regint=0;answermode=auto;audio_codecs=${codecs}${options.dtls ? ';mediaenc=dtls_srtp' : ''}\n`,
  );
  const program = startProgram(debian.command('baresip', ['-f', dir, '-v']), { lastSignal: 'TERM' });
  await program.printed(/baresip is ready/, 20_000);

  return {
    uri: `sip:phone@127.0.0.1:${sip}`,
    program,
    command: (name, params) => tell(control, { command: name, ...(params === undefined ? {} : { params }) }),
    [Symbol.asyncDispose]: async () => {
      await program.end();
      await rm(dir, { recursive: true, force: true });
    },
  };
};

/** JSON as a netstring, over a connection of its own; resolves once it is answered. */
const tell = async (port: number, command: object): Promise<void> => {
  const text = JSON.stringify(command);
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    await new Promise<void>((resolve, reject) => {
      let heard = '';
      socket.on('data', (bytes: Buffer) => {
        heard += bytes.toString();
        if (heard.includes('"response":true')) resolve();
      });
      socket.on('error', reject);
      socket.on('close', () => reject(new Error(`baresip closed its control connection after ${heard}`)));
      socket.write(`${Buffer.byteLength(text)}:${text},`);
    });
  } finally {
    socket.destroy();
  }
};
