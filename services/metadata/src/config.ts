import { commonSettings, loadConfig, name, port, text, url } from '@reelstream/service';
import type { ConfigOf, Environment } from '@reelstream/service';

export const settings = {
  ...commonSettings('metadata'),
  databaseUrl: url('DATABASE_URL', 'the PostgreSQL database', ['postgres', 'postgresql', 'socket']),
  server: name('REEL_DATABASE_SERVER', 'name of this database server', 'primary'),
  httpPort: port('REEL_HTTP_PORT', 'port of the API', 8080),
  adminTokenFile: text('REEL_ADMIN_TOKEN_FILE', 'file that holds the bearer token of the API'),
};

export type Config = ConfigOf<typeof settings>;

export const loadMetadataConfig = (env: Environment): Config => loadConfig(settings, env);
