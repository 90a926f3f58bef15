import { parseAdvertise } from '@reelstream/domain';
import { commonSettings, integer, loadConfig, optionalText, url } from '@reelstream/service';
import type { ConfigOf, Environment } from '@reelstream/service';

const common = commonSettings('pilot');

export const settings = {
  ...common,
  advertise: { ...common.advertise, parse: parseAdvertise },
  sipServer: url('PILOT_SIP_SERVER', "the pilot's SIP server, drachtio://host:port?secret=…", ['drachtio']),
  reservationTimeoutMs: integer(
    'REEL_RESERVATION_TIMEOUT_MS',
    'how long a redirected call may take to reach a home before it counts as lost',
    { min: 100, max: 60_000 },
    2_000,
  ),
  viewFile: optionalText(
    'REEL_PILOT_VIEW_FILE',
    'file in which the pilot keeps what it knows of the homes, to place calls by after a restart without the bus; empty: none',
  ),
  controllerProfiles: optionalText(
    'REEL_CONTROLLER_PROFILES',
    'path of a JSON file: address or network of a call controller → what it can do',
  ),
};

export type Config = ConfigOf<typeof settings>;

/** Frozen and complete; throws ConfigError with a line for every bad setting. */
export const loadPilotConfig = (env: Environment): Config => loadConfig(settings, env);
