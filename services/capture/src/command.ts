import type { PlainHandler } from '@reelstream/bus';
import { Command } from '@reelstream/events';
import type { CommandReply } from '@reelstream/events';
import { Compile } from 'typebox/compile';
import type { CaptureNode } from './capture-node.ts';
import type { LiveSession } from './live-session.ts';
import { mendFolder, sayAgain } from './mend.ts';
import { pauseSession, unpauseSession } from './pause.ts';
import { removeMedia } from './remove-media.ts';
import type { OutgoingCalls } from './outgoing-calls.ts';
import { Turns } from './turns.ts';

const validCommand = Compile(Command);

/** The story of a command to this node: checked, done in its session's turn, answered once its event is journalled. */
export const takeCommand = (node: CaptureNode, calls: OutgoingCalls): PlainHandler => {
  const turns = new Turns();

  return async ({ data, reply }) => {
    if (!validCommand.Check(data))
      return reply(refused('bad-command', 'not a command that this version knows'));
    if (Date.parse(data.deadline) < Date.now())
      return reply(refused('too-late', `deadline was ${data.deadline}`));
    const { command, commandId } = data;
    const obeyed =
      command.name === 'dial'
        ? calls.dial({ ...command, commandId })
        : turns.take(command.sessionId, () => obey(node, command));
    reply(await obeyed.catch((error: unknown) => refused('failed', String(error))));
  };
};

type SessionCommand = Exclude<Command['command'], { name: 'dial' }>;

const obey = async (node: CaptureNode, command: SessionCommand): Promise<CommandReply> => {
  const { sessionId } = command;
  switch (command.name) {
    case 'republish':
      return (await node.outbox.republish(sessionId, command.fromVersion))
        ? { ok: true }
        : refused('unknown-session', 'this node has no journal of it');
    case 'stop':
    case 'pause':
    case 'resume': {
      const session = node.sessions.get(sessionId);
      if (!session?.record) return refused('unknown-session', 'this node does not record it');

      return command.name === 'stop' ? stop(session) : pause(node, session, command.name);
    }
    case 'remove-media':
      return removeMedia(node, sessionId, command.cause);
    case 'say-again':
      return sayAgain(node, command);
    case 'mend-folder':
      return mendFolder(node, command);
    case 'forget':
      return refused('bad-command', 'this is no playback');
  }
};

const stop = async (session: LiveSession): Promise<CommandReply> => {
  await session.stop('stopped');
  const { record } = session;

  return !record || record.state === 'ACTIVE'
    ? refused('not-journalled', 'its end could not be written')
    : { ok: true, version: record.version };
};

const pause = async (
  node: CaptureNode,
  session: LiveSession,
  name: 'pause' | 'resume',
): Promise<CommandReply> => {
  const runs = await (name === 'pause' ? pauseSession(node, session) : unpauseSession(node, session));
  if (!runs) return refused('unknown-session', 'it is over');

  return { ok: true, version: session.record?.version ?? 1 };
};

const refused = (code: string, detail: string): CommandReply => ({ ok: false, code, detail });
