import { receiveBufferFor } from '@reelstream/rtp';
import { StartupError } from '@reelstream/service';
import type { Logger } from '@reelstream/service';
import { readMeans } from './adapters/means.ts';
import type { Config } from './config.ts';
import { capacityOf } from './core/capacity.ts';
import type { Capacity } from './core/capacity.ts';

const speechKbps = 64;

/** How many streams this node takes: what is configured, or less, where it could not hold them. Throws StartupError where it can hold none. */
export const budget = async (
  { capacity: configured, rtpPorts: { low, high } }: Pick<Config, 'capacity' | 'rtpPorts'>,
  log: Logger,
): Promise<Capacity> => {
  const portPairs = Math.floor((high - (low + (low % 2)) + 1) / 2);
  const means = { ...(await readMeans()), portPairs };
  const capacity = capacityOf(configured, means, { socketBufferBytes: receiveBufferFor(speechKbps) });
  const { streams, limitedBy } = capacity;
  if (streams === 0)
    throw new StartupError(`this node can't hold one stream: too few ${limitedBy} (docs/capacity.md)`);
  if (limitedBy === undefined) log.info({ streams, ...means }, 'streams that can be recorded at a time');
  else
    log.warn(
      { streams, configured, limitedBy, ...means },
      `this node can't hold as many streams as REEL_CAPTURE_CAPACITY says, for its ${limitedBy}`,
    );

  return capacity;
};
