import { textOption } from '../command.ts';
import type { Command } from '../command.ts';
import { usageError } from '../errors.ts';

const readOffset = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw usageError(`--offset ${text}: milliseconds are wanted, from 1 on`);

  return Number(text);
};

export const tagCommand: Command = {
  name: 'tag',
  summary: 'tag a session, or a place in it; take tags back',
  help: `Usage: reel tag SESSION NAME [--offset MS] [--remove] [--json]

Tags a session, while it runs or afterwards; the case of the name doesn't count. The tag legal-hold keeps the session from being
deleted.

Options:
  --offset MS   a place in the session, milliseconds from its start
  --remove      takes the tags of this name back; with --offset only the one there

Examples:
  reel tag 019ac1f0-7a10-7c3e-9b1d-3f8a5c2d4e6f complaint
  reel tag 019ac1f0-7a10-7c3e-9b1d-3f8a5c2d4e6f refund --offset 61500
  reel tag 019ac1f0-7a10-7c3e-9b1d-3f8a5c2d4e6f legal-hold --remove
  reel sessions --tag complaint
`,
  options: { offset: { type: 'string' }, remove: { type: 'boolean' } },
  positionals: [2, 2],
  run: async ({ values, positionals: [sessionId = '', name = ''], output, api }) => {
    const offsetMs = readOffset(textOption(values, 'offset'));
    const tags = `/sessions/${encodeURIComponent(sessionId)}/tags`;
    if (values['remove'] === true) {
      const query = offsetMs === undefined ? '' : `?offsetMs=${offsetMs}`;
      await api.open(`${tags}/${encodeURIComponent(name)}${query}`, { method: 'DELETE' });
      if (output.json) output.value({ sessionId, name, removed: true });
      else output.line(`${sessionId} is without ${name}.`);

      return;
    }
    const tag = await api.post<unknown>(tags, offsetMs === undefined ? { name } : { name, offsetMs });
    if (output.json) output.value(tag);
    else output.line(`${sessionId} has ${name}${offsetMs === undefined ? '' : ` at ${offsetMs} ms`}.`);
  },
};
