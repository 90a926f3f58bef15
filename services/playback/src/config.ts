import { commonSettings, integer, loadConfig, names, oneOf, port, text, url } from '@reelstream/service';
import type { ConfigOf, Environment } from '@reelstream/service';

export const settings = {
  ...commonSettings('playback'),
  sipServer: url('PLAYBACK_SIP_SERVER', "this node's SIP server, drachtio://host:port?secret=…", [
    'drachtio',
  ]),
  sipPort: port('REEL_PLAYBACK_SIP_PORT', 'port on which that server takes SIP', 5080),
  httpPort: port('REEL_PLAYBACK_HTTP_PORT', 'port of the media over HTTP', 8081),
  recordingsDir: text('REEL_RECORDINGS_DIR', 'folder of the recordings', '.reelstream/recordings'),
  playbackDir: text(
    'REEL_PLAYBACK_DIR',
    'folder of exports kept for the next request',
    '.reelstream/playback',
  ),
  databaseServers: names('REEL_DATABASE_SERVERS', 'database servers, the preferred one first', 'primary'),
  cacheMegabytes: integer(
    'REEL_PLAYBACK_CACHE_MB',
    'megabytes that kept exports may take',
    { min: 0, max: 1_000_000 },
    2_048,
  ),
  tones: oneOf(
    'REEL_TONES',
    'keys that callers pressed, in the list of tones: shown, or masked because they may be secrets',
    ['shown', 'masked'],
    'shown',
  ),
};

export type Config = ConfigOf<typeof settings>;

/** Frozen and complete; throws ConfigError with a line for every bad setting. */
export const loadPlaybackConfig = (env: Environment): Config => loadConfig(settings, env);
