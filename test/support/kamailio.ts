import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debianPackages, freePort, waitFor } from '@reelstream/testing';
import { askOptions } from './front-door.ts';
import { startProgram } from './program.ts';
import type { Program } from './program.ts';

export type Kamailio = AsyncDisposable & { readonly port: number; readonly program: Program };

/**
 * Starts Debian's Kamailio with one UDP worker on a free port; resolves when it answers OPTIONS with `status`.
 * `routing` is the rest of its configuration: modules, their parameters and routes. `files` are written beside it,
 * `{{dir}}` in the routing is where.
 */
export const startKamailio = async (options: {
  readonly routing: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly core?: number | undefined;
  readonly status?: number;
}): Promise<Kamailio> => {
  const debian = await debianPackages('kamailio');
  const dir = await mkdtemp(join(tmpdir(), 'reelstream-kamailio-'));
  const port = await freePort();
  const config = `#!KAMAILIO
debug=1
log_stderror=yes
children=1
listen=udp:127.0.0.1:${port}
disable_tcp=yes
auto_aliases=no
mpath="${debian.root}/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/kamailio/modules/"
${options.routing.replaceAll('{{dir}}', dir)}`;
  await writeFile(join(dir, 'kamailio.cfg'), config);
  for (const [name, text] of Object.entries(options.files ?? {})) await writeFile(join(dir, name), text);
  const program = startProgram(
    debian.command('kamailio', [
      '-DD',
      '-E',
      '-m',
      '512',
      '-M',
      '16',
      '-Y',
      dir,
      '-f',
      join(dir, 'kamailio.cfg'),
    ]),
    { core: options.core, lastSignal: 'TERM' },
  );
  const kamailio = {
    port,
    program,
    [Symbol.asyncDispose]: async () => {
      await program.end();
      await rm(dir, { recursive: true, force: true });
    },
  };
  await waitFor(async () => (await answers(port, program)) === (options.status ?? 200) || undefined, {
    deadlineMs: 30_000,
    describe: () => `Kamailio doesn't answer:\n${program.output()}`,
  }).catch(async (error: unknown) => {
    await kamailio[Symbol.asyncDispose]();
    throw error;
  });

  return kamailio;
};

const answers = (port: number, program: Program): Promise<number | undefined> => {
  if (!program.running) throw new Error(`Kamailio ended:\n${program.output()}`);

  return askOptions(port);
};
