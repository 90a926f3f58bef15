import type { PlainHandler } from '@reelstream/bus';
import { Command } from '@reelstream/events';
import type { CommandReply } from '@reelstream/events';
import { Compile } from 'typebox/compile';
import type { Exports } from './export/exports.ts';
import type { Forgotten } from './export/forgotten.ts';

const validCommand = Compile(Command);

/**
 * The story of a command to this node: that a session was deleted or is to be pruned, and nothing of it may be served any
 * more. Retention waits for an export that is being made.
 */
export const takeCommand =
  (forgotten: Forgotten, exports: Pick<Exports, 'isMaking'>): PlainHandler =>
  async ({ data, reply }) => {
    if (!validCommand.Check(data) || data.command.name !== 'forget')
      return reply({
        ok: false,
        code: 'bad-command',
        detail: 'not one for a playback',
      } satisfies CommandReply);
    const { sessionId, unlessInUse } = data.command;
    if (unlessInUse && exports.isMaking(sessionId))
      return reply({
        ok: false,
        code: 'in-use',
        detail: 'an export of it is being made',
      } satisfies CommandReply);
    // What is to be pruned may be kept after all; once its home has removed it, the folder says so.
    if (unlessInUse) await forgotten.clear(sessionId);
    else await forgotten.forget(sessionId);
    reply({ ok: true } satisfies CommandReply);
  };
