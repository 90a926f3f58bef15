import { checkout, type LauncherSettings } from './settings.ts';
import { join } from 'node:path';

const hostInUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/** Where a program on this machine reaches the box. */
export const placesOf = (settings: LauncherSettings) => {
  const anyAddress = { '0.0.0.0': '127.0.0.1', '::': '::1' } as const;
  const host = hostInUrl(settings.host in anyAddress ? anyAddress[settings.host as '::'] : settings.host);

  return {
    apiUrl: `http://${host}:${settings.httpPort}/api/v1`,
    sipUri: `sip:${host}:${settings.sipPort}`,
    ...(settings.sipTlsPort > 0 && { sipTlsUri: `sip:${host}:${settings.sipTlsPort};transport=tls` }),
  };
};

/** What is shown when everything is ready. */
export const screen = (settings: LauncherSettings): string => {
  const { apiUrl, sipUri, sipTlsUri } = placesOf(settings);
  const elsewhere =
    settings.dataDir === join(checkout, '.reelstream') ? '' : `REEL_DATA_DIR=${settings.dataDir} `;

  return [
    '',
    'Reelstream is ready.',
    '',
    `  SIP    ${sipUri}  (UDP and TCP: point your call controller here)`,
    ...(sipTlsUri === undefined ? [] : [`         ${sipTlsUri}`]),
    `  API    ${apiUrl}  (described at ${apiUrl}/docs)`,
    `  Data   ${settings.dataDir}  (recordings, logs, admin-token)`,
    '',
    `  A first call:  ${elsewhere}npx reel call`,
    ...(sipTlsUri === undefined ? [] : [`  Encrypted:     ${elsewhere}npx reel call --srtp`]),
    '  To stop:       Ctrl-C',
    '',
    '',
  ].join('\n');
};
