export { decryptSecret, encryptSecret, signPath, verifyPath } from './cluster-key.ts';
export { commonSettings } from './common.ts';
export {
  ConfigError,
  integer,
  loadConfig,
  name,
  names,
  oneOf,
  optionalText,
  port,
  portRange,
  secret,
  text,
  url,
} from './config.ts';
export type { ConfigOf, Environment, Setting } from './config.ts';
export { createLogger, logLevels } from './log.ts';
export type { Logger } from './log.ts';
export { createMeters } from './meters.ts';
export type { Meters } from './meters.ts';
export { reportMeters } from './report-meters.ts';
export { run, StartupError } from './run.ts';
export type { Running } from './run.ts';
export { Secret } from './secret.ts';
