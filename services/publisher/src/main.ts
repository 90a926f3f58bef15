import { createLogger, run } from '@reelstream/service';
import { loadPublisherConfig } from './config.ts';
import { startPublisher } from './publisher.ts';

await run(async () => {
  const config = loadPublisherConfig(process.env);
  const log = createLogger({ service: 'publisher', nodeId: config.nodeId, level: config.logLevel });

  return startPublisher(config, log);
});
