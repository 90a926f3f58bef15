import type { Command } from '../command.ts';

const drainOrUndrain = (name: 'drain' | 'undrain', summary: string, help: string): Command => ({
  name,
  summary,
  help,
  options: {},
  positionals: [1, 1],
  run: async ({ positionals: [nodeId = ''], output, api }) => {
    const answer = await api.post<{ readonly nodeId: string; readonly drained: boolean }>(
      `/nodes/${encodeURIComponent(nodeId)}/${name}`,
    );
    if (output.json) return output.value(answer);
    output.line(
      answer.drained
        ? `${nodeId} takes no new calls; what runs finishes. Back with:  reel undrain ${nodeId}`
        : `${nodeId} takes calls again.`,
    );
  },
});

export const drainCommand = drainOrUndrain(
  'drain',
  'take a node out: no new calls, running ones finish',
  `Usage: reel drain NODE [--json]

Takes a pilot, capture or playback node out of service: it takes no new calls, running ones finish, and OPTIONS is answered
503. It stays so over restarts of the node, until reel undrain. See its load fall with:  reel status

Examples:
  reel drain capture-1
  reel drain pilot-2 --json
`,
);

export const undrainCommand = drainOrUndrain(
  'undrain',
  'put a drained node back',
  `Usage: reel undrain NODE [--json]

Puts a drained node back: it takes calls again.

Examples:
  reel undrain capture-1
`,
);
