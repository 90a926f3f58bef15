import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { env, execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { boundToParent, freePorts, waitFor } from '@reelstream/testing';

const main = fileURLToPath(new URL('../../../../libs/sip-server/src/main.ts', import.meta.url));

/** A SIP server as it runs in production: a process that can be killed, and finds its dialogs on disk. */
export class SipProcess {
  readonly addresses: readonly {
    readonly protocol: 'udp' | 'tcp';
    readonly address: string;
    readonly port: number;
  }[];
  readonly control: { readonly host: string; readonly port: number };
  readonly #environment: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;

  private constructor(
    stateDir: string,
    secret: string,
    ports: { readonly sip: number; readonly control: number },
  ) {
    const address = '127.0.0.1';
    this.addresses = (['udp', 'tcp'] as const).map((protocol) => ({ protocol, address, port: ports.sip }));
    this.control = { host: address, port: ports.control };
    this.#environment = {
      SIP_SERVER_LISTEN: this.addresses.map((one) => `${one.protocol}/${address}:${one.port}`).join(','),
      SIP_SERVER_CONTROL: `${address}:${ports.control}`,
      SIP_SERVER_SECRET: secret,
      SIP_SERVER_STATE_DIR: stateDir,
      SIP_SERVER_SESSION_EXPIRY: 'leave',
    };
  }

  static async open(stateDir: string, secret: string): Promise<SipProcess> {
    const [sip = 0, control = 0] = await freePorts(2);
    const server = new SipProcess(stateDir, secret, { sip, control });
    await server.start();

    return server;
  }

  /** Starts it, and waits until it listens. */
  async start(): Promise<void> {
    const { file, args } = boundToParent({ file: execPath, args: [main] }, 'KILL');
    const child = spawn(file, args, {
      env: { PATH: env['PATH'], ...this.#environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    let output = '';
    child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
    await waitFor(() => output.includes('SIP server is listening') || undefined, {
      deadlineMs: 20_000,
      describe: () => `the SIP server does not listen:\n${output}`,
    });
  }

  /** Until it is killed it takes nothing that is sent to it. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  close(): Promise<void> {
    return this.kill();
  }
}
