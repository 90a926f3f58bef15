/** The parts of a SIP URI that routing a request needs (RFC 3261 §19.1). */
export type SipUri = {
  readonly scheme: 'sip' | 'sips';
  readonly user: string | undefined;
  /** IPv6 addresses without brackets. */
  readonly host: string;
  readonly port: number | undefined;
  /** Names in lower case; a parameter without a value is an empty string. */
  readonly parameters: Readonly<Record<string, string>>;
};

const uriPattern =
  /^(sips?):(?:([^@\s<>]+)@)?(\[[0-9a-f:.]+\]|[^:;?@\s<>[\]]+)(?::(\d{1,5}))?((?:;[^;?\s<>]*)*)(?:\?\S*)?$/i;

export const parseParameters = (text: string): Record<string, string> => {
  const parameters: Record<string, string> = {};
  for (const parameter of text.split(';')) {
    const equals = parameter.indexOf('=');
    const name = (equals < 0 ? parameter : parameter.slice(0, equals)).trim().toLowerCase();
    if (name !== '') parameters[name] = equals < 0 ? '' : parameter.slice(equals + 1).trim();
  }

  return parameters;
};

/** Parses `sip:user@host:port;name=value`; undefined if it is no SIP URI. */
export const parseSipUri = (text: string): SipUri | undefined => {
  const match = uriPattern.exec(text.trim());
  if (!match) return undefined;
  const [, scheme = '', user, host = '', port, parameters = ''] = match;
  if (port !== undefined && (Number(port) === 0 || Number(port) > 65_535)) return undefined;

  return {
    scheme: scheme.toLowerCase() === 'sips' ? 'sips' : 'sip',
    user,
    host: host.replace(/^\[|\]$/g, ''),
    port: port === undefined ? undefined : Number(port),
    parameters: parseParameters(parameters),
  };
};

/** An address as it stands in a URI or Via: IPv6 in brackets. */
export const hostText = (address: string): string => (address.includes(':') ? `[${address}]` : address);

export type NameAddress = { readonly uri: string; readonly parameters: Readonly<Record<string, string>> };

/** Parses `"Name" <uri>;parameters` or the bare form, whose parameters belong to the header (RFC 3261 §20.10). */
export const parseNameAddress = (text: string): NameAddress | undefined => {
  const bracketed = /^\s*(?:"(?:[^"\\]|\\.)*"|[^"<]*)\s*<([^<>]*)>(.*)$/s.exec(text);
  if (bracketed) return { uri: (bracketed[1] ?? '').trim(), parameters: parseParameters(bracketed[2] ?? '') };
  const [uri = '', ...rest] = text.split(';');

  return uri.trim() === '' ? undefined : { uri: uri.trim(), parameters: parseParameters(rest.join(';')) };
};

/** Splits a header value at its commas, but not at those in quotes or angle brackets (RFC 3261 §7.3.1). */
export const splitList = (text: string): string[] =>
  (text.match(/(?:"(?:[^"\\]|\\.)*"|<[^<>]*>|[^,"<]|["<])+/g) ?? [])
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** URIs of Contact headers, those with the highest q first; a missing q counts as 1 (RFC 3261 §8.1.3.4). */
export const contactsByPreference = (values: readonly string[]): string[] =>
  values
    .flatMap(splitList)
    .flatMap((value) => parseNameAddress(value) ?? [])
    .map(({ uri, parameters }) => ({ uri, q: Number(parameters['q'] ?? 1) }))
    .map(({ uri, q }) => ({ uri, q: q >= 0 && q <= 1 ? q : 0 }))
    .toSorted((a, b) => b.q - a.q)
    .map(({ uri }) => uri);
