import type { PlainHandler } from '@reelstream/bus';
import { Command } from '@reelstream/events';
import type { CommandReply } from '@reelstream/events';
import { Compile } from 'typebox/compile';
import type { Forgotten } from './export/forgotten.ts';

const validCommand = Compile(Command);

/** The story of a command to this node: that a session was deleted, and nothing of it may be served any more. */
export const takeCommand =
  (forgotten: Forgotten): PlainHandler =>
  async ({ data, reply }) => {
    if (!validCommand.Check(data) || data.command.name !== 'forget')
      return reply({
        ok: false,
        code: 'bad-command',
        detail: 'not one for a playback',
      } satisfies CommandReply);
    await forgotten.forget(data.command.sessionId);
    reply({ ok: true } satisfies CommandReply);
  };
