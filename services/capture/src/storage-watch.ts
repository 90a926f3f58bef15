import { usedPercent } from './adapters/disk.ts';
import type { CaptureNode } from './capture-node.ts';

const everyMs = 1_000;

/** Looks at the recordings' disk once a second. Returns the function that ends it. */
export const watchStorage = async ({
  config,
  status,
  log,
  meters,
}: Pick<CaptureNode, 'config' | 'status' | 'log' | 'meters'>): Promise<() => void> => {
  const look = async (): Promise<void> => {
    try {
      const used = await usedPercent(config.recordingsDir);
      const { level, changed } = status.diskUsed(used);
      if (changed) log.warn({ level, usedPercent: used }, 'storage level changed');
    } catch (error) {
      meters.count('disk.unreadable', String(error));
    }
  };
  await look();
  const timer = setInterval(() => void look(), everyMs);

  return () => clearInterval(timer);
};
