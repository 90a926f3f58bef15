import { createLogger, run } from '@reelstream/service';
import { loadPlaybackConfig } from './config.ts';
import { startPlaybackNode } from './playback-node.ts';

await run(async () => {
  const config = loadPlaybackConfig(process.env);
  const log = createLogger({ service: 'playback', nodeId: config.nodeId, level: config.logLevel });

  return startPlaybackNode(config, log, process.pid);
});
