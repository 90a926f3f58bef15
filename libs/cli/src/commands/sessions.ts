import type { Session } from '../api.ts';
import { textOption } from '../command.ts';
import type { Command } from '../command.ts';
import { formatBytes, formatDuration, formatTable } from '../table.ts';

const filters = ['state', 'from', 'to', 'participant', 'tag', 'limit', 'cursor'] as const;

const participantsOf = ({ tracks = [] }: Session): string =>
  tracks
    .flatMap(({ participants = [] }) => participants)
    .map(({ name, address }) => name ?? address ?? '?')
    .join(', ');

const rowOf = (session: Session): string[] => [
  session.sessionId,
  session.state,
  session.startedAt.replace('T', ' ').replace(/\.\d+Z$/, 'Z'),
  session.durationMs === undefined ? '' : formatDuration(session.durationMs),
  session.recording ? formatBytes(session.recording.sizeBytes ?? 0) : '',
  participantsOf(session),
];

export const sessionsCommand: Command = {
  name: 'sessions',
  summary: 'list what was recorded, newest first',
  help: `Usage: reel sessions [options]

Lists recorded sessions, newest first.

  --state STATE        ACTIVE, CLOSED_NORMAL, CLOSED_ERROR, INTERRUPTED or DELETED
  --from TIME          started at or after, 2026-11-23T07:00:00.000Z
  --to TIME            started before
  --participant TEXT   somebody heard on it
  --tag NAME           tagged so, in any case
  --limit N            how many
  --cursor CURSOR      go on where a list ended
  --json               the answer of the API as it is

Examples:
  reel sessions --state ACTIVE
  reel sessions --participant sip:1001@example.com --limit 5
  reel sessions --json | jq -r '.items[].sessionId'
`,
  options: Object.fromEntries(filters.map((name) => [name, { type: 'string' as const }])),
  positionals: [0, 0],
  run: async ({ values, output, api }) => {
    const given = filters.flatMap((name) => {
      const value = textOption(values, name);

      return value === undefined ? [] : [[name, value] as const];
    });
    const page = await api.sessions(Object.fromEntries(given));
    if (output.json) return output.value(page);
    if (page.items.length === 0) return output.say('No sessions. Record one with:  npx reel call');
    output.line(
      formatTable(
        ['SESSION', 'STATE', 'STARTED', 'LENGTH', 'RECORDED', 'PARTICIPANTS'],
        page.items.map(rowOf),
      ),
    );
    if (page.nextCursor) output.say(`There are more:  --cursor ${page.nextCursor}`);
  },
};
