import type { Health, Node, ServerStatus } from '../api.ts';
import type { Command } from '../command.ts';
import { CliError } from '../errors.ts';
import { formatTable } from '../table.ts';

/** Streams in use, of how many; and what those are limited by, where that isn't the configuration. */
const loadOf = ({ load, capacity = 0, limitedBy }: Node): string =>
  load === undefined ? '' : `${load}/${capacity}${limitedBy === undefined ? '' : ` (${limitedBy})`}`;

export const rowOf = (node: Node): string[] => [
  node.nodeId,
  node.role,
  node.state,
  node.address ?? node.host ?? '',
  loadOf(node),
  node.storage?.level === undefined
    ? ''
    : `${node.storage.level} ${Math.round(node.storage.usedPercent ?? 0)} %`,
  node.packetSource ?? '',
  node.pid === undefined ? '' : String(node.pid),
  node.detail ?? '',
];

const databaseLine = ({ database }: Health): string[] => {
  if (!database) return [];
  const behind = database.behind ? `, ${database.behind} events behind` : '';

  return [`Database ${database.server ?? ''}: ${database.state ?? 'unknown'}${behind}`];
};

export const retentionLine = ({ retention }: ServerStatus): string[] => {
  if (!retention) return [];
  const { mode, days, due, held, pruned, differing = [] } = retention;
  const age = mode.startsWith('age') ? ` (${days} days)` : '';

  return [
    `Retention ${mode}${age}: ${pruned} pruned, ${due} due, ${held} on legal hold`,
    ...differing.map(({ nodeId, retention: { mode: other, ...more } }) => {
      const told = Object.entries(more).map(([name, value]) => `${name} ${value}`);

      return `Retention differs at ${nodeId}: ${[other, ...told].join(', ')}`;
    }),
  ];
};

const headLines = (health: Health, status: ServerStatus, apiUrl: string, sipUri: string): string[] => [
  `${health.status ?? 'unknown'}  API ${apiUrl}  SIP ${sipUri}`,
  ...(health.missing?.length ? [`Missing: ${health.missing.join(', ')}`] : []),
  ...databaseLine(health),
  ...retentionLine(status),
  ...(health.alarms?.length ? [`Alarms: ${health.alarms.map(({ kind }) => kind ?? '?').join(', ')}`] : []),
];

export const statusCommand: Command = {
  name: 'status',
  summary: 'health of the system and its nodes',
  help: `Usage: reel status [--json]

Shows whether the system is ready, what is missing if it isn't, and every node with its load.
Exits 0 when everything is ready, 1 when something is missing.

Examples:
  reel status
  reel status --json | jq .health.status
`,
  options: {},
  positionals: [0, 0],
  run: async ({ output, api, system }) => {
    const { health, ready } = await api.health();
    const nodes = await api.nodes();
    const status = await api.status();
    if (output.json) output.value({ health, nodes, retention: status.retention });
    else {
      for (const line of headLines(health, status, system.apiUrl, system.sipUri)) output.line(line);
      output.line('');
      output.line(
        formatTable(
          ['NODE', 'ROLE', 'STATE', 'ADDRESS', 'LOAD', 'STORAGE', 'MEDIA BY', 'PID', 'DETAIL'],
          nodes.map(rowOf),
        ),
      );
    }
    if (!ready) throw new CliError('not everything is ready');
  },
};
