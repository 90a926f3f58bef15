import type { Node } from '../api.ts';
import type { Command } from '../command.ts';
import { CliError } from '../errors.ts';
import { formatTable } from '../table.ts';

type Health = { readonly status?: string } & Readonly<Record<string, unknown>>;

const rowOf = ({ nodeId, role, state, host, address, load, capacity, storage, pid }: Node): string[] => [
  nodeId,
  role,
  state,
  address ?? host ?? '',
  load === undefined ? '' : `${load}/${capacity ?? 0}`,
  storage?.level === undefined ? '' : `${storage.level} ${Math.round(storage.usedPercent ?? 0)} %`,
  pid === undefined ? '' : String(pid),
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
    const response = await api.fetch('/health');
    const health = (await response.json().catch(() => ({}))) as Health;
    const nodes = await api.nodes();
    if (output.json) output.value({ health, nodes });
    else {
      output.line(`${health.status ?? response.status}  API ${system.apiUrl}  SIP ${system.sipUri}`);
      output.line('');
      output.line(
        formatTable(['NODE', 'ROLE', 'STATE', 'ADDRESS', 'LOAD', 'STORAGE', 'PID'], nodes.map(rowOf)),
      );
    }
    if (!response.ok) throw new CliError(`not ready: ${JSON.stringify(health)}`);
  },
};
