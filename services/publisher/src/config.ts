import { parseAdvertise } from '@reelstream/domain';
import { commonSettings, integer, loadConfig, name, url } from '@reelstream/service';
import type { ConfigOf, Environment, Setting } from '@reelstream/service';
import { defaultBackoffMs } from './core/backoff.ts';

const longestBackoffMs = 7 * 86_400_000;

const durations = (
  variable: string,
  describe: string,
  fallback: readonly number[],
): Setting<readonly number[]> => ({
  variable,
  describe,
  fallback: fallback.join(','),
  parse: (value) =>
    value
      .split(',')
      .map((part) => integer(variable, describe, { min: 1, max: longestBackoffMs }).parse(part.trim())),
});

const common = commonSettings('publisher');

export const settings = {
  ...common,
  advertise: { ...common.advertise, parse: parseAdvertise },
  databaseUrl: url('DATABASE_URL', 'the PostgreSQL whose deliveries go out', ['postgres', 'postgresql']),
  databaseServer: name('REEL_DATABASE_SERVER', 'name of that database server', 'primary'),
  backoffMs: durations(
    'REEL_WEBHOOK_BACKOFF_MS',
    'pauses before the repeats of a delivery, in milliseconds, comma separated; after the last it is parked',
    defaultBackoffMs,
  ),
  timeoutMs: integer(
    'REEL_WEBHOOK_TIMEOUT_MS',
    'how long an endpoint may take to answer',
    { min: 100, max: 60_000 },
    15_000,
  ),
  concurrency: integer(
    'REEL_WEBHOOK_CONCURRENCY',
    'first attempts under way at a time per subscription; half as many repeats come on top',
    { min: 2, max: 1_000 },
    64,
  ),
};

export type Config = ConfigOf<typeof settings>;

/** Frozen and complete; throws ConfigError with a line for every bad setting. */
export const loadPublisherConfig = (env: Environment): Config => loadConfig(settings, env);
