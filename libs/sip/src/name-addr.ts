import type { NameAddr, Parameters } from './types.ts';

/** A SIP URI taken apart, RFC 3261 §19.1. */
export type SipUri = {
  readonly scheme: string;
  /** Unescaped, without password. */
  readonly user: string | undefined;
  /** Without port; IPv6 without brackets. */
  readonly host: string;
  readonly port: number | undefined;
  readonly parameters: Parameters;
};

const unescaped = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** `;a=b;c` as a record: lower-case names, quotes of values taken off, names without value as an empty string. */
export const parseParameters = (text: string): Parameters => {
  const parameters: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const match of text.matchAll(/;\s*([^\s;=]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^;]*))?/g)) {
    const [, name = '', value = ''] = match;
    const trimmed = value.trim();
    parameters[name.toLowerCase()] ??= trimmed.startsWith('"')
      ? trimmed.slice(1, -1).replace(/\\(.)/g, '$1')
      : trimmed;
  }

  return parameters;
};

const hostPort = (text: string): { host: string; port: number | undefined } => {
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?/.exec(text);
  const port = match?.[3];

  return { host: match?.[1] ?? match?.[2] ?? '', port: port === undefined ? undefined : Number(port) };
};

/** Reads a `sip:`, `sips:` or `tel:` URI; never throws, what is missing comes out empty. */
export const parseUri = (uri: string): SipUri => {
  const colon = uri.indexOf(':');
  const scheme = colon < 0 ? 'sip' : uri.slice(0, colon).toLowerCase();
  const rest = (colon < 0 ? uri : uri.slice(colon + 1)).trim();
  // The user part may hold semicolons (and, unescaped by some, question marks): the last @ before the host ends it.
  const at = rest.lastIndexOf('@');
  const userInfo = at < 0 ? undefined : rest.slice(0, at);
  const behind = (at < 0 ? rest : rest.slice(at + 1)).replace(/\?.*$/, '');
  const semicolon = behind.indexOf(';');
  const authority = semicolon < 0 ? behind : behind.slice(0, semicolon);
  const parameters = parseParameters(semicolon < 0 ? '' : behind.slice(semicolon));
  if (scheme === 'tel') return { scheme, user: authority, host: '', port: undefined, parameters };
  const user = userInfo?.split(':')[0];

  return {
    scheme,
    user: user === undefined || user === '' ? undefined : unescaped(user),
    ...hostPort(authority),
    parameters,
  };
};

/** Everything RFC 3261 §25 doesn't allow in a user part is escaped. */
export const escapeUser = (user: string): string =>
  encodeURIComponent(user).replace(/%(2C|3B|2F|3F|3A|40|26|3D|2B|24)/g, (escape, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));

    return '&=+$,;?/'.includes(character) ? character : escape;
  });

/** An IPv6 address goes into brackets where a host is wanted. */
export const uriHost = (address: string): string => (address.includes(':') ? `[${address}]` : address);

/** `sip:user@host:port;transport=tcp`. */
export const formatUri = (uri: {
  readonly user: string | undefined;
  readonly host: string;
  readonly port: number;
  readonly transport: string;
}): string => {
  const user = uri.user === undefined ? '' : `${escapeUser(uri.user)}@`;

  return `sip:${user}${uriHost(uri.host)}:${uri.port};transport=${uri.transport}`;
};

const quotedName = /^\s*"((?:[^"\\]|\\.)*)"\s*/;

/** Reads From, To, Contact and the like, RFC 3261 §20.10; of several addresses the first. Never throws. */
export const parseNameAddr = (text: string): NameAddr => {
  const quoted = quotedName.exec(text);
  const rest = quoted ? text.slice(quoted[0].length) : text;
  const open = rest.indexOf('<');
  const close = rest.indexOf('>', open);
  if (open < 0 || close < 0) return bareAddr(rest);
  const displayName = quoted ? (quoted[1] ?? '').replace(/\\(.)/g, '$1') : rest.slice(0, open).trim();
  const uri = rest.slice(open + 1, close).trim();
  const { user, host, parameters } = parseUri(uri);
  const behind = firstOfList(rest.slice(close + 1));

  return {
    displayName: displayName === '' ? undefined : displayName,
    uri,
    user,
    host,
    uriParameters: parameters,
    parameters: parseParameters(behind),
  };
};

/** Without angle brackets, parameters belong to the header and not to the URI (RFC 3261 §20.10). */
const bareAddr = (text: string): NameAddr => {
  const address = firstOfList(text).trim();
  const semicolon = address.indexOf(';');
  const uri = semicolon < 0 ? address : address.slice(0, semicolon).trim();
  const { user, host } = parseUri(uri);

  return {
    displayName: undefined,
    uri,
    user,
    host,
    uriParameters: {},
    parameters: parseParameters(semicolon < 0 ? '' : address.slice(semicolon)),
  };
};

const firstOfList = (text: string): string => /^(?:"(?:[^"\\]|\\.)*"|[^,"]|"[^"]*$)*/.exec(text)?.[0] ?? '';
