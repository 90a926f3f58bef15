// A process that logs `COUNT` lines and then ends by `END`: for the tests of what its reader gets.
import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger, run } from '../../index.ts';

const log = createLogger({ service: 'talker', nodeId: 'talker-1', level: 'info' });
const talk = (): void => {
  for (let line = 0; line < Number(process.env['COUNT']); line += 1) log.info({ line }, 'said');
};

switch (process.env['END']) {
  case 'exit':
    talk();
    process.exit(0);
    break;
  case 'throw':
    talk();
    throw new Error('unforeseen');
  case 'kill-after-warning':
    talk();
    log.warn({}, 'danger');
    await sleep(60_000);
    break;
  default:
    await run(async () => {
      const alive = setInterval(() => undefined, 1_000);
      process.stdout.write('ready\n');

      return {
        [Symbol.asyncDispose]: async () => {
          clearInterval(alive);
          talk();
        },
      };
    });
}
