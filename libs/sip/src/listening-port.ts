/** The first port of a SIP server's addresses, `udp/127.0.0.1:5060`; of those of one transport, where that is named. */
export const listeningPort = (
  addresses: readonly string[],
  transport?: 'udp' | 'tcp' | 'tls',
): number | undefined => {
  const address = addresses.find((each) => transport === undefined || each.startsWith(`${transport}/`));
  const port = /:(\d+)$/.exec(address ?? '')?.[1];

  return port === undefined ? undefined : Number(port);
};
