import { diskUse, tryToWrite } from './adapters/disk.ts';
import type { CaptureNode } from './capture-node.ts';

const everyMs = 1_000;

/**
 * Looks once a second at the disks of the recordings and of this node's own state: how full the first is, and whether both
 * can be written. A change of the level is said; where nothing is going to make room, what runs ends at the last of them. Returns the
 * function that ends it.
 */
export const watchStorage = async ({
  config,
  status,
  events,
  log,
  meters,
  sessions,
}: Pick<CaptureNode, 'config' | 'status' | 'events' | 'log' | 'meters' | 'sessions'>): Promise<
  () => void
> => {
  const { nodeId, recordingsDir, captureDir } = config;
  let looking = false;
  let before = status.storageLevel;
  const look = async (): Promise<void> => {
    try {
      status.diskUsed(await diskUse(recordingsDir));
    } catch (error) {
      meters.count('disk.unreadable', String(error));
    }
    for (const folder of new Set([recordingsDir, captureDir]))
      status.writeFailure(folder, await tryToWrite(folder));
    if (status.endsRecordings)
      for (const session of sessions.values()) if (session.isAnswered) void session.stop('storage');
    const level = status.storageLevel;
    if (level === before) return;
    const { usedPercent, failure: detail } = status;
    const changedAt = new Date().toISOString();
    log.warn({ level, before, usedPercent, detail }, 'storage level changed');
    events.say('node.storage-changed', {
      nodeId,
      level,
      before,
      usedPercent,
      ...(detail === undefined ? {} : { detail }),
      changedAt,
    });
    before = level;
  };
  await look();
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    void look().finally(() => {
      looking = false;
    });
  }, everyMs);

  return () => clearInterval(timer);
};
