import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { boundToParent, freePorts, waitFor, withOpenFiles } from '@reelstream/testing';

export type NodeRow = {
  readonly nodeId: string;
  readonly role: string;
  readonly pid: number;
  readonly state: string;
};

type ApiRequest = {
  readonly method?: string;
  readonly body?: string;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
};

/** A whole Reelstream of its own, as `npm start` brings it up, on free ports and in a fresh data folder. */
export type System = AsyncDisposable & {
  readonly dataDir: string;
  /** Of the launcher, which starts again what ends. */
  readonly pid: number;
  readonly sipPort: number;
  readonly apiUrl: string;
  readonly token: string;
  /** What the launcher printed so far. */
  output(): string;
  /** Calls the API with the admin's token; follows redirects. `path` begins behind `/api/v1`. */
  api(path: string, init?: ApiRequest): Promise<Response>;
  json<T>(path: string, init?: ApiRequest): Promise<T>;
  nodes(): Promise<readonly NodeRow[]>;
};

const launcher = fileURLToPath(new URL('../../deploy/local/start.ts', import.meta.url));
const readyLimitMs = 60_000;

/** `prepare` gets the data folder before anything is in it; `openFiles`: how many each of its processes may have open. */
export const startSystem = async (
  settings: Readonly<Record<string, string>> = {},
  prepare: (dataDir: string) => Promise<void> = () => Promise.resolve(),
  openFiles?: number,
): Promise<System> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'reelstream-story-'));
  await prepare(dataDir);
  const [sipPort = 0, captureSip = 0, playbackSip = 0, http = 0, playbackHttp = 0] = await freePorts(5);
  const env = {
    ...process.env,
    REEL_DATA_DIR: dataDir,
    REEL_SIP_PORT: String(sipPort),
    REEL_CAPTURE_SIP_PORT: String(captureSip),
    REEL_PLAYBACK_SIP_PORT: String(playbackSip),
    REEL_SIP_TLS_PORT: '0',
    REEL_CAPTURE_SIP_TLS_PORT: '0',
    REEL_HTTP_PORT: String(http),
    REEL_PLAYBACK_HTTP_PORT: String(playbackHttp),
    ...settings,
  };
  const command = boundToParent(
    withOpenFiles({ file: process.execPath, args: [launcher] }, openFiles),
    'TERM',
  );
  const child = spawn(command.file, command.args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (printed += text));
  }

  const apiUrl = `http://127.0.0.1:${http}/api/v1`;
  const healthy = async (): Promise<true | undefined> => {
    if (child.exitCode !== null) throw new Error(`the launcher ended with ${child.exitCode}:\n${printed}`);
    const response = await fetch(`${apiUrl}/health`).catch(() => undefined);

    return response?.ok ? true : undefined;
  };
  await waitFor(healthy, {
    deadlineMs: readyLimitMs,
    everyMs: 100,
    describe: () => `not ready; it printed:\n${printed}`,
  });
  const token = (await readFile(join(dataDir, 'admin-token'), 'utf8')).trim();

  const api = (path: string, init: ApiRequest = {}): Promise<Response> =>
    fetch(`${apiUrl}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...init.headers },
    });
  const json = async <T>(path: string, init?: ApiRequest): Promise<T> => {
    const response = await api(path, init);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);

    return (await response.json()) as T;
  };

  return {
    dataDir,
    pid: child.pid ?? -1,
    sipPort,
    apiUrl,
    token,
    output: () => printed,
    api,
    json,
    nodes: async () => (await json<{ items: readonly NodeRow[] }>('/nodes')).items,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await exited;
      // PostgreSQL, told to end, may still write for a moment.
      await rm(dataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 500 });
    },
  };
};
