import type { Bus } from '@reelstream/bus';
import { derivedId, mintEvent } from '@reelstream/events';
import type { DataOf } from '@reelstream/events';
import type { Logger } from '@reelstream/service';
import type { Config } from '../config.ts';

export type NodeAnnouncer = {
  /** Resolves once the stream has it. */
  started(): Promise<void>;
  stopped(signal: AbortSignal): Promise<void>;
};

/** Says on the stream that this life of the node began and ended, as soon as the bus takes it. Never throws. */
export const nodeAnnouncer = (bus: Bus, config: Config, epoch: number, log: Logger): NodeAnnouncer => {
  const say = async <T extends 'node.started' | 'node.stopped'>(
    type: T,
    time: string,
    data: DataOf<T>,
    signal?: AbortSignal,
  ): Promise<void> => {
    const event = mintEvent({
      type,
      id: derivedId(type, config.nodeId, String(epoch)),
      time,
      source: `/${config.clusterId}/${config.nodeId}`,
      subject: config.nodeId,
      origin: config.databaseServer,
      version: 1,
      epoch,
      data,
    });
    try {
      await bus.events.appendShared(event, signal);
    } catch (error) {
      log.debug({ error }, `${type} was not said`);
    }
  };
  const node = { nodeId: config.nodeId, role: 'publisher' } as const;

  return {
    started: () => {
      const startedAt = new Date().toISOString();

      return say('node.started', startedAt, {
        ...node,
        host: config.hostId,
        address: config.host,
        startedAt,
      });
    },
    stopped: (signal) => {
      const stoppedAt = new Date().toISOString();

      return say('node.stopped', stoppedAt, { ...node, stoppedAt }, signal);
    },
  };
};
