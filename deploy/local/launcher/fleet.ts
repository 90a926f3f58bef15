import { join } from 'node:path';
import { StartupError } from '@reelstream/service';
import { waitFor } from '@reelstream/testing';
import { follow } from './log-files.ts';
import type { PrivateServer } from './private-servers.ts';
import { Supervised, type Exit, type ProcessPlan, type SupervisedOptions } from './supervised.ts';

/** Services first, so that they still have their servers while they drain. */
const drainMs = 4_000;
/** Half a second, but PostgreSQL syncs what it holds, which a busy disk makes wait. */
const serversEndMs = 5_000;

type FleetOptions = Pick<SupervisedOptions, 'logDir' | 'runDir'> & {
  /** One line for the screen. */
  readonly say: (line: string) => void;
};

/** All processes of the box. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #members: Supervised[] = [];
  /** Rejects when a process gives up during the start: then something is wrong that a restart won't mend. */
  readonly #startFailed = Promise.withResolvers<never>();
  #starting = true;
  #stopping = false;
  #onChange: () => void = () => undefined;
  #onLog: ((text: Buffer) => void) | undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#startFailed.promise.catch(() => undefined);
  }

  get pids(): Readonly<Record<string, number>> {
    return Object.fromEntries(
      this.#members.flatMap(({ plan, pid }) => (pid === undefined ? [] : [[plan.name, pid]])),
    );
  }

  /** Calls back now, and whenever a process got a new pid. */
  onChange(changed: () => void): void {
    this.#onChange = changed;
    changed();
  }

  /** Hands over what the processes started from now on write into their log files. */
  onLog(write: (text: Buffer) => void): void {
    this.#onLog = write;
  }

  start(plans: readonly ProcessPlan[]): void {
    for (const plan of plans) this.#startOne(plan);
  }

  /** Starts a server and waits until it serves. StartupError with its last words when it ends instead. */
  async startServer(server: PrivateServer): Promise<void> {
    const member = this.#startOne(server.plan);
    await this.untilReady(
      () => (member.pid === undefined ? Promise.resolve(undefined) : server.ready(member.pid)),
      () => `${server.plan.name} does not serve`,
      30_000,
    );
  }

  /** Waits for `probe`, and no longer than until a process gives up. */
  async untilReady(
    probe: () => Promise<true | undefined>,
    describe: () => string,
    deadlineMs: number,
  ): Promise<void> {
    const ready = waitFor(probe, { deadlineMs, everyMs: 50, describe }).catch((error: unknown) => {
      throw new StartupError(`${(error as Error).message}; see ${this.#options.logDir}`, { cause: error });
    });
    await Promise.race([ready, this.#startFailed.promise]);
  }

  /** From now on every crash is mended by a restart. */
  started(): void {
    this.#starting = false;
  }

  /** Ends everything, and starts nothing any more. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const isServer = ({ plan: { name } }: Supervised): boolean => /^(postgres|nats|sip-)/.test(name);
    const end = async (members: readonly Supervised[], deadlineMs: number): Promise<void> => {
      await Promise.all(members.map((member) => member.stop(deadlineMs)));
    };
    await end(
      this.#members.filter((member) => !isServer(member)),
      drainMs,
    );
    await end(this.#members.filter(isServer), serversEndMs);
  }

  #startOne(plan: ProcessPlan): Supervised {
    const member = new Supervised(plan, {
      logDir: this.#options.logDir,
      runDir: this.#options.runDir,
      onStart: () => this.#onChange(),
      onCrash: (exit, restartInMs) => this.#crashed(exit, restartInMs),
    });
    if (this.#stopping) return member;
    if (this.#onLog) follow(join(this.#options.logDir, `${plan.name}.log`), this.#onLog);
    this.#members.push(member);
    member.start();

    return member;
  }

  #crashed(exit: Exit, restartInMs: number): void {
    if (this.#starting && exit.code === 1) {
      this.#startFailed.reject(
        new StartupError(`${exit.name} can't start: ${exit.lastWords ?? 'it did not say why'}`),
      );

      return;
    }
    const how = exit.signal ?? `code ${exit.code}`;
    const when = restartInMs === 0 ? 'at once' : `in ${restartInMs / 1_000} s`;
    this.#options.say(`${exit.name} ended (${how}); starting it again ${when}`);
  }
}
