import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from '../api.ts';
import type { Command } from '../command.ts';
import { CliError, exitCodes } from '../errors.ts';
import type { Output } from '../output.ts';
import { readServerSentEvents } from '../server-sent-events.ts';
import type { ServerSentEvent } from '../server-sent-events.ts';

type Envelope = {
  readonly type?: string;
  readonly subject?: string;
  readonly time?: string;
  readonly data?: { readonly sessionId?: string } & Readonly<Record<string, unknown>>;
};

const connectAgainMs = 1_000;

const parseEnvelope = ({ data }: ServerSentEvent): Envelope | undefined => {
  try {
    const value: unknown = JSON.parse(data);

    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
};

const details = ['state', 'reason', 'endReason', 'durationMs', 'sizeBytes', 'cause', 'status', 'role'];

const lineOf = ({ type = '', time = '', subject, data }: Envelope): string => {
  const about = data?.sessionId ?? subject?.split('.').at(-1) ?? '';
  const told = details.flatMap((name) => {
    const value = data?.[name];

    return typeof value === 'string' || typeof value === 'number' ? [`${name}=${value}`] : [];
  });

  return [time, type.padEnd(18), about, ...told].join('  ').trimEnd();
};

/** Prints one connection's events; returns the position of the last, to go on from. */
const follow = async (body: AsyncIterable<Uint8Array>, output: Output, from: string | undefined) => {
  let position = from;
  try {
    for await (const event of readServerSentEvents(body)) {
      position = event.id ?? position;
      const envelope = parseEnvelope(event);
      if (!envelope) continue;
      if (output.json) output.value(envelope);
      else output.line(lineOf(envelope));
    }
  } catch (error) {
    // A connection that breaks ends with a TypeError; anything else is none of ours to swallow.
    if (!(error instanceof TypeError || (error instanceof Error && error.name === 'AbortError'))) throw error;
  }

  return position;
};

/** Opens the stream; while the server is away after it was there, waits for it. Undefined once interrupted. */
const connect = async (
  api: Api,
  query: Readonly<Record<string, string>>,
  interrupted: AbortSignal,
  isFirst: boolean,
): Promise<Response | undefined> => {
  while (!interrupted.aborted) {
    try {
      const path = `/events?${new URLSearchParams(query).toString()}`;

      return await api.open(path, { accept: 'text/event-stream', signal: interrupted });
    } catch (error) {
      if (interrupted.aborted) return undefined;
      const isAway = error instanceof CliError && error.exitCode === exitCodes.notRunning;
      if (isFirst || !isAway) throw error;
    }
    await sleep(connectAgainMs, undefined, { signal: interrupted }).catch(() => undefined);
  }

  return undefined;
};

export const tailCommand: Command = {
  name: 'tail',
  summary: 'print events as they come',
  help: `Usage: reel tail [SESSION] [--all] [--json]

Prints events as they come, one a line, until Ctrl-C; with a session's id only those of that session.

  --all    first all that are kept, from the oldest
  --json   whole events, one line of JSON each

Examples:
  reel tail
  reel tail 019ab2c4-7c1e-7d5a-9d0c-0a1b2c3d4e5f --all
  reel tail --json | jq 'select(.type == "recording.sealed") | .data.sessionId'
`,
  options: { all: { type: 'boolean' } },
  positionals: [0, 1],
  run: async ({ values, positionals: [sessionId], output, api, interrupted }) => {
    let position = values['all'] === true ? '0:0' : undefined;
    for (let isFirst = true; ; isFirst = false) {
      const query = {
        ...(sessionId === undefined ? {} : { sessionId }),
        ...(position === undefined ? {} : { after: position }),
      };
      const response = await connect(api, query, interrupted, isFirst);
      if (!response?.body) return;
      position = await follow(response.body, output, position);
      if (interrupted.aborted) return;
      output.say('The connection was lost; waiting for the server');
    }
  },
};
