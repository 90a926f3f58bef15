import type { Command } from '../command.ts';
import { CliError } from '../errors.ts';
import { readServerSentEvents } from '../server-sent-events.ts';
import type { ServerSentEvent } from '../server-sent-events.ts';

type Envelope = {
  readonly type?: string;
  readonly subject?: string;
  readonly time?: string;
  readonly data?: { readonly sessionId?: string } & Readonly<Record<string, unknown>>;
};

const parseEnvelope = ({ data }: ServerSentEvent): Envelope | undefined => {
  try {
    const value: unknown = JSON.parse(data);

    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
};

const sessionOf = ({ data, subject }: Envelope): string =>
  data?.sessionId ?? subject?.split('.').at(-1) ?? '';

const details = [
  'state',
  'reason',
  'endReason',
  'durationMs',
  'sizeBytes',
  'cause',
  'status',
  'nodeId',
  'role',
];

const lineOf = (event: Envelope, type: string): string => {
  const told = details.flatMap((name) => {
    const value = event.data?.[name];

    return typeof value === 'string' || typeof value === 'number' ? [`${name}=${value}`] : [];
  });

  return [event.time ?? '', (event.type ?? type).padEnd(18), sessionOf(event), ...told].join('  ').trimEnd();
};

export const tailCommand: Command = {
  name: 'tail',
  summary: 'print events as they come',
  help: `Usage: reel tail [SESSION] [--json]

Prints events as they come, one a line, until Ctrl-C; with a session's id only those of that session.

  --json   whole events, one line of JSON each

Examples:
  reel tail
  reel tail 019ab2c4-7c1e-7d5a-9d0c-0a1b2c3d4e5f
  reel tail --json | jq 'select(.type == "recording.sealed") | .data.sessionId'
`,
  options: {},
  positionals: [0, 1],
  run: async ({ positionals: [sessionId], output, api, interrupted }) => {
    try {
      const response = await api.open('/events', { accept: 'text/event-stream', signal: interrupted });
      if (!response.body) throw new CliError('the server sent no events');
      for await (const event of readServerSentEvents(response.body)) {
        const envelope = parseEnvelope(event);
        if (!envelope || (sessionId !== undefined && sessionOf(envelope) !== sessionId)) continue;
        if (output.json) output.value(envelope);
        else output.line(lineOf(envelope, event.type));
      }
    } catch (error) {
      if (interrupted.aborted) return;
      throw error;
    }
    if (!interrupted.aborted) throw new CliError('the server ended the stream of events');
  },
};
