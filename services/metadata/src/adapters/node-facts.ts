import type { Bus } from '@reelstream/bus';
import { derivedId, mintEvent } from '@reelstream/events';

export type Self = {
  readonly nodeId: string;
  readonly server: string;
  readonly source: string;
  readonly epoch: number;
  readonly host: string;
  readonly address: string;
};

const role = 'metadata';

const factOf = ({ nodeId, server, source, epoch }: Self) =>
  ({ source, subject: nodeId, origin: server, version: 1, epoch }) as const;

/** Says that this node began, as soon as the bus takes it. */
export const sayStarted = async (bus: Bus, self: Self, signal: AbortSignal): Promise<void> => {
  const { nodeId, epoch, host, address } = self;
  const time = new Date().toISOString();
  await bus.events.appendShared(
    mintEvent({
      type: 'node.started',
      id: derivedId('node.started', nodeId, String(epoch)),
      ...factOf(self),
      time,
      data: { nodeId, role, host, address, startedAt: time },
    }),
    signal,
  );
};

/** Says that this node ends in good order. */
export const sayStopped = async (bus: Bus, self: Self, signal: AbortSignal): Promise<void> => {
  const { nodeId, epoch } = self;
  const time = new Date().toISOString();
  await bus.events.appendShared(
    mintEvent({
      type: 'node.stopped',
      id: derivedId('node.stopped', nodeId, String(epoch)),
      ...factOf(self),
      time,
      data: { nodeId, role, stoppedAt: time },
    }),
    signal,
  );
};
