import { createLogger, run } from '@reelstream/service';
import { startCapture } from './capture.ts';
import { loadCaptureConfig } from './config.ts';

await run(async () => {
  const config = loadCaptureConfig(process.env);
  const log = createLogger({ service: 'capture', nodeId: config.nodeId, level: config.logLevel });

  return startCapture(config, log, process.pid);
});
