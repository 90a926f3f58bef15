import { retentionModes } from '@reelstream/domain';
import { commonSettings, integer, loadConfig, name, oneOf, port, text, url } from '@reelstream/service';
import type { ConfigOf, Environment } from '@reelstream/service';

export const settings = {
  ...commonSettings('metadata'),
  databaseUrl: url('DATABASE_URL', 'the PostgreSQL database', ['postgres', 'postgresql', 'socket']),
  server: name('REEL_DATABASE_SERVER', 'name of this database server', 'primary'),
  httpPort: port('REEL_HTTP_PORT', 'port of the API', 8080),
  adminTokenFile: text('REEL_ADMIN_TOKEN_FILE', 'file that holds the bearer token of the API'),
  retention: oneOf(
    'REEL_RETENTION',
    'what prunes media: never, age (REEL_RETENTION_DAYS), space (a critical disk), or age-or-space; the same on all servers',
    retentionModes,
    'never',
  ),
  retentionDays: integer(
    'REEL_RETENTION_DAYS',
    'days of 24 hours since its end after which media of a session is pruned by age',
    { min: 1, max: 3_650 },
    60,
  ),
  retentionMetadataDays: integer(
    'REEL_RETENTION_METADATA_DAYS',
    'days after pruning at which the session is deleted; 0: its metadata is kept',
    { min: 0, max: 3_650 },
    0,
  ),
};

export type Config = ConfigOf<typeof settings>;

export const loadMetadataConfig = (env: Environment): Config => loadConfig(settings, env);
