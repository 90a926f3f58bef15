import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { boundToParent, freePorts, waitFor } from '@reelstream/testing';
import { readPidFile } from './pid-file.ts';
import { checkout } from './settings.ts';

/** Instead of the services: answers the health check where it is told an HTTP port, and ends when asked to. */
const idleProgram = `
import { createServer } from 'node:http';
if (process.env.FAIL_WITH && process.argv[1].includes('services/pilot')) {
  console.error(process.env.FAIL_WITH);
  process.exit(1);
}
const port = process.env.REEL_HTTP_PORT && process.argv[1].includes('metadata') ? process.env.REEL_HTTP_PORT : 0;
const health = process.env.FAIL_WITH ? 503 : 200;
createServer((request, response) => response.writeHead(health).end('{}')).listen(Number(port), '127.0.0.1');
console.log(JSON.stringify({ program: process.argv[1], pid: process.pid }));
process.on('SIGTERM', () => process.exit(0));
`;

/** A launcher over idle programs, real PostgreSQL and real NATS, in a temporary folder with ports of its own. */
export class TestBox implements AsyncDisposable {
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly #launchers: ChildProcess[] = [];
  output = '';

  private constructor(dir: string, env: Readonly<Record<string, string>>) {
    this.dir = dir;
    this.env = env;
  }

  static async create(): Promise<TestBox> {
    const dir = await mkdtemp(join(tmpdir(), 'reel-box-'));
    const services = ['pilot', 'capture', 'metadata', 'publisher', 'playback'].map(
      (name) => `services/${name}`,
    );
    for (const program of [...services, 'libs/sip-server']) {
      await mkdir(join(dir, program, 'src'), { recursive: true });
      await writeFile(join(dir, program, 'src/main.ts'), idleProgram);
    }
    await writeFile(join(dir, 'package.json'), '{"type":"module"}');
    const start = JSON.stringify(new URL('run.ts', import.meta.url).href);
    await writeFile(
      join(dir, 'start.ts'),
      `import { runLauncher } from ${start};
       await runLauncher({ env: process.env, args: process.argv.slice(2), programsDir: import.meta.dirname });`,
    );
    const names = ['SIP', 'CAPTURE_SIP', 'PLAYBACK_SIP', 'HTTP', 'PLAYBACK_HTTP'];
    const ports = await freePorts(names.length);
    const tls = ['REEL_SIP_TLS_PORT', 'REEL_CAPTURE_SIP_TLS_PORT'].map((name) => [name, '0']);
    const settings = [...tls, ...names.map((name, index) => [`REEL_${name}_PORT`, String(ports[index])])];

    return new TestBox(dir, { ...Object.fromEntries(settings), REEL_DATA_DIR: join(dir, 'data') });
  }

  /** Spawns a launcher over idle programs; `env` is added to the box's own. */
  launch(env: Readonly<Record<string, string>> = {}, args: readonly string[] = []): ChildProcess {
    return this.#spawn(process.execPath, [join(this.dir, 'start.ts'), ...args], env);
  }

  /** Spawns `npm start` as the foreground of a terminal would, with the real services, on the box's ports and data. */
  launchByNpm(): ChildProcess {
    return this.#spawn('npm', ['--prefix', checkout, 'start'], {});
  }

  #spawn(file: string, args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
    const command = boundToParent({ file, args }, 'TERM');
    const launcher = spawn(command.file, command.args, {
      env: { ...process.env, ...this.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: file === 'npm',
    });
    this.output = '';
    const keep = (data: Buffer): void => void (this.output += data.toString());
    launcher.stdout.on('data', keep);
    launcher.stderr.on('data', keep);
    this.#launchers.push(launcher);

    return launcher;
  }

  async ready(): Promise<void> {
    const launcher = this.#launchers.at(-1);
    const ended = (): boolean => launcher?.exitCode !== null || launcher.signalCode !== null;
    await waitFor(() => (this.output.includes('Reelstream is ready') || ended() ? true : undefined), {
      deadlineMs: 90_000,
      describe: () => `the box was not ready: ${this.output}`,
    });
    if (ended()) throw new Error(`the launcher ended: ${this.output}`);
  }

  /** The pids of all processes of the box, by name; without the launcher's. */
  async pids(): Promise<Readonly<Record<string, number>>> {
    const run = join(this.dir, 'data/run');
    const names = (await readdir(run)).filter((name) => name.endsWith('.json') && name !== 'launcher.json');
    // One that is being written just now is torn.
    const entries = names.flatMap((name) => readPidFile(join(run, name)) ?? []);

    return Object.fromEntries(entries.map(({ name, pid }) => [name, pid]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const launcher of this.#launchers) {
      if (launcher.exitCode !== null || launcher.signalCode !== null) continue;
      launcher.kill('SIGTERM');
      await exitOf(launcher);
    }
    await rm(this.dir, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** How a process ended, once all its output was read; rejects when it doesn't end within a minute and a half. */
export const exitOf = async (child: ChildProcess): Promise<number | NodeJS.Signals> =>
  waitFor(() => (isRead(child) ? (child.exitCode ?? child.signalCode ?? undefined) : undefined), {
    deadlineMs: 90_000,
    describe: 'the launcher does not end',
  });

const isRead = ({ stdout, stderr }: ChildProcess): boolean =>
  [stdout, stderr].every((stream) => stream?.closed ?? true);
