import { CliError, exitCodes } from './errors.ts';
import type { ExitCode } from './errors.ts';
import { notRunning } from './system.ts';
import type { System } from './system.ts';

/** The parts of a session that commands look at; the rest passes through untouched with --json. */
export type Session = {
  readonly sessionId: string;
  readonly state: string;
  readonly startedAt: string;
  readonly durationMs?: number;
  readonly dialogs?: readonly { readonly callId: string }[];
  readonly tracks?: readonly {
    readonly trackNumber: number;
    readonly codec?: string;
    readonly packets?: number;
    readonly participants?: readonly { readonly address?: string; readonly name?: string }[];
  }[];
  readonly recording?: { readonly sizeBytes?: number };
};

export type SessionPage = { readonly items: readonly Session[]; readonly nextCursor?: string | null };

export type Node = {
  readonly nodeId: string;
  readonly role: string;
  readonly pid?: number;
  readonly host?: string;
  readonly address?: string;
  readonly state: string;
  readonly detail?: string;
  readonly load?: number;
  readonly capacity?: number;
  readonly limitedBy?: string;
  readonly packetSource?: string;
  readonly storage?: { readonly level?: string; readonly usedPercent?: number };
};

export type Health = {
  readonly status?: string;
  readonly missing?: readonly string[];
  readonly database?: { readonly server?: string; readonly state?: string; readonly behind?: number };
  readonly alarms?: readonly { readonly kind?: string }[];
};

/** What an operator asks of a database server beyond its health. */
export type ServerStatus = {
  readonly retention?: {
    readonly mode: string;
    readonly days: number;
    readonly due: number;
    readonly held: number;
    readonly pruned: number;
    readonly differing?: readonly {
      readonly nodeId: string;
      readonly retention: { readonly mode: string; readonly days?: number; readonly metadataDays?: number };
    }[];
  };
};

const connectionCodes = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'ECONNRESET']);

/** `fetch` hides what went wrong one level down, and several addresses in an AggregateError. */
const networkCode = (error: unknown): string | undefined => {
  const cause = error instanceof Error ? (error.cause ?? error) : undefined;

  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
};

const problemText = async (response: Response): Promise<string> => {
  const text = await response.text().catch(() => '');
  try {
    const problem = JSON.parse(text) as { title?: string; detail?: string; code?: string };
    const said = problem.detail ?? problem.title ?? response.statusText;

    return problem.code === undefined ? said : `${said} (${problem.code})`;
  } catch {
    return `${response.status} ${response.statusText}`;
  }
};

const exitCodeOf = (status: number): ExitCode => {
  if (status === 404) return exitCodes.notFound;

  return status === 503 ? exitCodes.notRunning : exitCodes.failed;
};

type RequestOptions = {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly accept?: string;
  /** Prefer (RFC 7240). */
  readonly prefer?: string;
  readonly signal?: AbortSignal;
};

/** Requests to the API of one system; everything that fails is a CliError. */
export class Api {
  readonly #system: System;

  constructor(system: System) {
    this.#system = system;
  }

  /** Any answer to a request for `path` below the API, redirects followed; throws only if the server can't be reached. */
  async fetch(path: string, init: RequestOptions = {}): Promise<Response> {
    try {
      return await fetch(`${this.#system.apiUrl}${path}`, {
        method: init.method ?? 'GET',
        headers: {
          authorization: `Bearer ${this.#system.token}`,
          accept: init.accept ?? 'application/json, application/problem+json',
          ...(init.prefer === undefined ? {} : { prefer: init.prefer }),
          ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
        ...(init.signal ? { signal: init.signal } : {}),
      });
    } catch (error) {
      const code = networkCode(error);
      if (code !== undefined && connectionCodes.has(code)) {
        throw notRunning(`${new URL(this.#system.apiUrl).host} doesn't answer (${code})`);
      }
      throw error;
    }
  }

  /** The answer to a request if it is a success; throws CliError with what the server said. */
  async open(path: string, init: RequestOptions = {}): Promise<Response> {
    const response = await this.fetch(path, init);
    if (response.ok) return response;
    const said = await problemText(response);
    if (response.status === 401) throw new CliError(`the token isn't accepted: ${said}. Set REEL_TOKEN`);
    throw new CliError(said, exitCodeOf(response.status));
  }

  async json<T>(path: string): Promise<T> {
    return (await (await this.open(path)).json()) as T;
  }

  async post<T>(path: string, body?: unknown): Promise<T> {
    return (await (await this.open(path, { method: 'POST', body })).json()) as T;
  }

  /** What the system says of its health, ready or not. */
  async health(): Promise<{ readonly health: Health; readonly ready: boolean }> {
    const response = await this.fetch('/health');

    return { health: (await response.json().catch(() => ({}))) as Health, ready: response.ok };
  }

  /** Empty where the database can't be asked: then its health says so. */
  async status(): Promise<ServerStatus> {
    const response = await this.fetch('/status');

    return response.ok ? ((await response.json().catch(() => ({}))) as ServerStatus) : {};
  }

  session(sessionId: string): Promise<Session> {
    return this.json(`/sessions/${encodeURIComponent(sessionId)}`);
  }

  sessions(query: Readonly<Record<string, string>>): Promise<SessionPage> {
    return this.json(`/sessions?${new URLSearchParams(query).toString()}`);
  }

  async nodes(): Promise<readonly Node[]> {
    return (await this.json<{ readonly items: readonly Node[] }>('/nodes')).items;
  }
}
