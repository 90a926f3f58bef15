import type { Session } from '../api.ts';
import type { Command } from '../command.ts';

const sessionPath = (sessionId: string): string => `/sessions/${encodeURIComponent(sessionId)}`;

const control = (
  name: 'pause' | 'resume' | 'stop',
  summary: string,
  done: string,
  help: string,
): Command => ({
  name,
  summary,
  help,
  options: {},
  positionals: [1, 1],
  run: async ({ positionals: [sessionId = ''], output, api }) => {
    const session = await api.post<Session>(`${sessionPath(sessionId)}/${name}`);
    if (output.json) output.value(session);
    else output.line(`${sessionId} ${done}`);
  },
});

export const pauseCommand = control(
  'pause',
  'keep nothing of a running session until it is resumed',
  'is paused: nothing of it is kept. Go on with:  reel resume SESSION',
  `Usage: reel pause SESSION [--json]

Keeps nothing of a running session, on no disk, until reel resume: for what must not be recorded, like the number of a card.
The audio is silent there. Twice is once.

Examples:
  reel pause 019ac1f0-7a10-7c3e-9b1d-3f8a5c2d4e6f
`,
);

export const resumeCommand = control(
  'resume',
  'keep the media of a paused session again',
  'is recorded again.',
  `Usage: reel resume SESSION [--json]

Keeps the media of a paused session again. Twice is once.

Examples:
  reel resume 019ac1f0-7a10-7c3e-9b1d-3f8a5c2d4e6f
`,
);

export const stopCommand = control(
  'stop',
  'end a running session',
  'is over.',
  `Usage: reel stop SESSION [--json]

Ends a running session: hangs up on the controller, and seals the recording.

Examples:
  reel stop 019ac1f0-7a10-7c3e-9b1d-3f8a5c2d4e6f
`,
);

export const deleteCommand: Command = {
  name: 'delete',
  summary: 'delete a session: its media goes, what is known of it stays',
  help: `Usage: reel delete SESSION [--json]

Deletes a session that is over: its media is removed, what is known of it stays. Refused while the session runs, and while it
has the tag legal-hold. Twice is once.

Examples:
  reel delete 019ac1f0-7a10-7c3e-9b1d-3f8a5c2d4e6f
`,
  options: {},
  positionals: [1, 1],
  run: async ({ positionals: [sessionId = ''], output, api }) => {
    await api.open(sessionPath(sessionId), { method: 'DELETE' });
    if (output.json) output.value({ sessionId, deleted: true });
    else output.line(`${sessionId} is deleted.`);
  },
};
