import { createLogger, run } from '@reelstream/service';
import { loadPilotConfig } from './config.ts';
import { startPilot } from './pilot.ts';

await run(() => {
  const config = loadPilotConfig(process.env);

  return startPilot(
    config,
    createLogger({ service: 'pilot', nodeId: config.nodeId, level: config.logLevel }),
  );
});
