import { StartupError, createLogger, loadConfig, run } from '@reelstream/service';
import { settings } from './config.ts';
import { guardOf, tlsOf } from './setting-files.ts';
import { ListenError, StateDirError, startSipServer } from './index.ts';

/** How often what happened is logged, in ms; silence means that nothing did. */
const REPORT_EVERY_MS = 60_000;

await run(async () => {
  const config = loadConfig(settings, process.env);
  const log = createLogger({ service: 'sip-server', nodeId: config.nodeId, level: config.logLevel });
  const guard = await guardOf(config);
  const server = await startSipServer({
    listen: config.listen,
    advertise: config.advertise,
    control: config.control,
    secret: config.secret.reveal(),
    ...tlsOf(config),
    guard,
    sessionExpiry: config.sessionExpiry,
    ...(config.stateDir === '' ? {} : { stateDir: config.stateDir }),
    onStateFault: (error) => log.error({ error }, 'dialogs could not be saved'),
    onBug: (where, error) => log.error({ where, error }, 'a message met a bug'),
  }).catch((error: unknown) => {
    if (!(error instanceof ListenError || error instanceof StateDirError)) throw error;
    const setting = settings[error instanceof ListenError ? error.side : 'stateDir'].variable;
    throw new StartupError(`${setting}: ${error.message}`, { cause: error });
  });
  log.info({ addresses: server.addresses, control: server.control }, 'SIP server is listening');
  let last = '';
  const report = setInterval(() => {
    const counters = server.counters();
    const now = JSON.stringify(counters);
    if (now !== last) log.info({ counters }, 'counters');
    last = now;
  }, REPORT_EVERY_MS);
  return {
    [Symbol.asyncDispose]: async () => {
      clearInterval(report);
      await server.close();
    },
  };
});
