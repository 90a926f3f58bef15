import { BusError } from '@reelstream/bus';
import type { Bus } from '@reelstream/bus';
import { CommandReply, commandSubject, freshId } from '@reelstream/events';
import type { Command } from '@reelstream/events';
import { Compile } from 'typebox/compile';

const validReply = Compile(CommandReply);

/** What a node answered; `silent` where none did in time, or none that can be understood. */
export type Commanded = CommandReply | 'silent';

/** Gives a node a command, and waits for its answer. Throws what isn't the node's silence. */
export const commandNode = async (
  bus: Bus,
  nodeId: string,
  command: Command['command'],
  limitMs: number,
): Promise<Commanded> => {
  const deadline = new Date(Date.now() + limitMs).toISOString();
  const request: Command = { commandId: freshId(), deadline, command };
  try {
    const reply = await bus.request(commandSubject(nodeId), request, limitMs);

    return validReply.Check(reply) ? reply : 'silent';
  } catch (error) {
    const isSilence =
      error instanceof BusError && (error.code === 'BUS_TIMEOUT' || error.code === 'BUS_NO_RESPONDER');
    if (isSilence) return 'silent';
    throw error;
  }
};
