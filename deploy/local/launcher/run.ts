import { randomBytes } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ConfigError, StartupError, type Environment } from '@reelstream/service';
import { freePorts } from '@reelstream/testing';
import { openDataFolder, type DataFolder } from './data-folder.ts';
import { Fleet } from './fleet.ts';
import { checkHealth } from './health.ts';
import { endLeftovers } from './leftovers.ts';
import { lockDataFolder } from './lock.ts';
import { placesOf, screen } from './places.ts';
import { planProcesses } from './plan.ts';
import { checkGivenServers, checkPorts, claimPorts } from './preflight.ts';
import { planNats, planPostgres, type PrivateServer } from './private-servers.ts';
import { checkout, loadSettings, type LauncherSettings } from './settings.ts';
import { tlsIdentity } from './tls-identity.ts';

const readyWithinMs = 90_000;

const say = (line: string): void => void process.stdout.write(`reelstream: ${line}\n`);

export type LauncherOptions = {
  readonly env: Environment;
  readonly args: readonly string[];
  /** Holds services/ and libs/ with the programs to run; default the checkout. */
  readonly programsDir?: string;
};

/** Runs the box until a signal ends it; never returns. Exit code 1, with one line that names the setting, if it can't. */
export const runLauncher = async ({ env, args, programsDir = checkout }: LauncherOptions): Promise<never> => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { verbose: { type: 'boolean', default: false } },
    });
    await runBox({ settings: loadSettings(env), verbose: values.verbose, programsDir });
  } catch (error) {
    if (!isTheirs(error)) throw error;
    process.stderr.write(`reelstream: ${error.message}\n`);
    process.exit(1);
  }
  process.exit(0);
};

const isTheirs = (error: unknown): error is Error =>
  error instanceof ConfigError ||
  error instanceof StartupError ||
  (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));

type Box = { readonly settings: LauncherSettings; readonly verbose: boolean; readonly programsDir: string };

const runBox = async (box: Box): Promise<void> => {
  const { settings } = box;
  const stop = stopSignal();
  const folder = openDataFolder(settings.dataDir);
  const lock = lockDataFolder(folder.run, folder.path);
  stop.when(() => !lock.parentsLive());
  const fleet = new Fleet({ logDir: folder.logs, runDir: folder.run, say });
  const starting = startAll({ ...box, folder, fleet, stop: stop.signal });
  try {
    await Promise.race([starting, aborted(stop.signal)]);
    await aborted(stop.signal);
    say('stopping');
  } finally {
    await fleet.stop();
    // A step that was under way, such as making the database, is not left running either.
    await Promise.race([starting.catch(() => undefined), sleep(500)]);
    lock.release();
  }
};

type Start = Box & {
  readonly folder: DataFolder;
  readonly fleet: Fleet;
  readonly stop: AbortSignal;
};

/** The steps of a start, in order. Returns when the API says that everything is ready, and the screen says so too. */
const startAll = async ({ settings, verbose, programsDir, folder, fleet, stop }: Start): Promise<void> => {
  const before = await endLeftovers(folder.run);
  if (before.length > 0) say(`ended what an earlier start left over: ${before.join(', ')}`);
  await checkPorts(settings);
  await claimPorts(settings);
  await checkGivenServers(settings);

  if (verbose) fleet.onLog((text) => process.stdout.write(text));
  const [databaseUrl, natsUrl] = await Promise.all([
    settings.databaseUrl ?? startServer(planPostgres, folder, fleet),
    settings.natsUrl ?? startServer(planNats, folder, fleet),
  ]);
  stop.throwIfAborted();
  const [pilot = 0, capture = 0, playback = 0] = await freePorts(3);
  const controlPorts = { pilot, capture, playback };
  const sipSecret = randomBytes(24).toString('base64url');
  const takesTls = settings.sipTlsPort > 0 || settings.captureSipTlsPort > 0;
  const tls = takesTls ? tlsIdentity(settings, folder.path) : undefined;
  const places = placesOf(settings);
  // Again: making the database and fetching programs may have taken a while.
  await checkPorts(settings);
  fleet.onChange(() => writeRuntime(folder, { ...places, natsUrl, dataDir: folder.path, pids: fleet.pids }));
  fleet.start(
    planProcesses(settings, { programsDir, folder, databaseUrl, natsUrl, controlPorts, sipSecret, tls }),
  );
  await untilHealthy(places.apiUrl, fleet);
  fleet.started();
  if (!stop.aborted) process.stdout.write(screen(settings));
};

const startServer = async (
  plan: (folder: DataFolder, say: (line: string) => void) => Promise<PrivateServer>,
  folder: DataFolder,
  fleet: Fleet,
): Promise<string> => {
  const server = await plan(folder, say);
  await fleet.startServer(server);

  return server.url;
};

const untilHealthy = async (apiUrl: string, fleet: Fleet): Promise<void> => {
  let missing = '';
  await fleet.untilReady(
    async () => {
      const health = await checkHealth(apiUrl);
      if (health === true) return true;
      missing = health;

      return undefined;
    },
    () => `not ready: ${missing}`,
    readyWithinMs,
  );
};

/** Replaced at once, never seen half-written. */
const writeRuntime = (folder: DataFolder, runtime: object): void => {
  const draft = `${folder.runtimeFile}.draft`;
  writeFileSync(draft, `${JSON.stringify(runtime, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(draft, folder.runtimeFile);
};

/**
 * Aborted by the first signal. Further ones change nothing: Ctrl-C reaches us directly and through npm and boot, and
 * the end is bounded anyway.
 */
const stopSignal = () => {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, stop);
  // npm doesn't pass every signal on, and none when it is killed: then nobody could end us any more.
  const when = (isOver: () => boolean): void => {
    setInterval(() => isOver() && stop(), 250).unref();
  };

  return { signal: controller.signal, when };
};

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
