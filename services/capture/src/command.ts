import type { PlainHandler } from '@reelstream/bus';
import { Command } from '@reelstream/events';
import type { CommandReply } from '@reelstream/events';
import { Compile } from 'typebox/compile';
import type { CaptureNode } from './capture-node.ts';

const validCommand = Compile(Command);

/** The story of a command to this node: checked, done, answered once its event is journalled. */
export const takeCommand =
  (node: CaptureNode): PlainHandler =>
  async ({ data, reply }) => {
    if (!validCommand.Check(data))
      return reply(refused('bad-command', 'not a command that this version knows'));
    if (Date.parse(data.deadline) < Date.now())
      return reply(refused('too-late', `deadline was ${data.deadline}`));
    reply(await obey(node, data).catch((error: unknown) => refused('failed', String(error))));
  };

const obey = async (node: CaptureNode, { command }: Command): Promise<CommandReply> => {
  const { sessionId } = command;
  switch (command.name) {
    case 'republish':
      return (await node.outbox.republish(sessionId, command.fromVersion))
        ? { ok: true }
        : refused('unknown-session', 'this node has no journal of it');
    case 'stop': {
      const session = node.sessions.get(sessionId);
      if (!session?.record) return refused('unknown-session', 'this node does not record it');
      await session.stop('stopped');
      const { state } = session.record;

      return state === 'ACTIVE' ? refused('not-journalled', 'its end could not be written') : { ok: true };
    }
  }
};

const refused = (code: string, detail: string): CommandReply => ({ ok: false, code, detail });
