/** A key of a=crypto (RFC 4568 §6.1, §9.1): a secret. */
export type CryptoKey = {
  /** Base64 of master key and salt. */
  readonly inline: string;
  /** `2^20` or a number of packets, as written. */
  readonly lifetime: string | undefined;
  /** The bytes that name the key in each packet, in hex. */
  readonly mki: string | undefined;
};

/** `a=crypto` (RFC 4568): one offer or choice of an encryption by keys in the SDP. */
export type CryptoLine = {
  /** 1 to 9 digits: ties an answer to what it chose. */
  readonly tag: string;
  readonly suite: string;
  /** Empty where one of the keys can't be read: then the line can't be chosen. */
  readonly keys: readonly CryptoKey[];
  /** Session parameters, `UNENCRYPTED_SRTCP`, `KDR=0`, …, as written. */
  readonly parameters: readonly string[];
};

/** `a=fingerprint` (RFC 8122): of a certificate that will be shown in a DTLS handshake. */
export type Fingerprint = {
  /** `sha-256`, in lower case. */
  readonly hash: string;
  /** Hex, in upper case, with colons. */
  readonly value: string;
};

/** What an m-line says of its encryption and of how packets find their way to it. */
export type MediaSecurity = {
  readonly crypto: readonly CryptoLine[];
  readonly fingerprints: readonly Fingerprint[];
  /** `a=setup` (RFC 4145, RFC 5763 §5). */
  readonly setup: 'active' | 'passive' | 'actpass' | 'holdconn' | undefined;
  /** `a=tls-id` (RFC 8842 §4): names the DTLS association; another one is another association. */
  readonly tlsId: string | undefined;
  /** ICE credentials of the peer (RFC 8839 §5.4). */
  readonly ice: { readonly ufrag: string; readonly password: string } | undefined;
};

export const noSecurity: MediaSecurity = {
  crypto: [],
  fingerprints: [],
  setup: undefined,
  tlsId: undefined,
  ice: undefined,
};

/** No sane peer comes near. */
const mostCryptoLines = 16;
const mostKeys = 16;
const mostFingerprints = 8;

const base64 = /^[A-Za-z0-9+/]{20,128}={0,2}$/;
const longestMki = 128;

/** `value:length`: a number, and how many bytes of the packet it fills. */
const mkiOf = (text: string): string | undefined => {
  const match = /^(\d{1,310}):(\d{1,3})$/.exec(text);
  const length = Number(match?.[2]);
  if (!match || length < 1 || length > longestMki) return undefined;
  const hex = BigInt(match[1] ?? 0).toString(16);

  return hex.length > length * 2 ? undefined : hex.padStart(length * 2, '0');
};

const lifetime = /^(?:2\^)?\d{1,15}$/;

/** `inline:<key||salt>[|lifetime][|MKI:length]` */
const keyOf = (text: string): CryptoKey | undefined => {
  const [method = '', ...rest] = text.split(':');
  const [inline = '', ...more] = rest.join(':').split('|');
  if (method.toLowerCase() !== 'inline' || !base64.test(inline)) return undefined;
  const found: { lifetime?: string; mki?: string } = {};
  for (const part of more) {
    const mki = mkiOf(part);
    if (mki !== undefined && found.mki === undefined) found.mki = mki;
    else if (lifetime.test(part) && found.lifetime === undefined && found.mki === undefined)
      found.lifetime = part;
    else return undefined;
  }

  return { inline, lifetime: found.lifetime, mki: found.mki };
};

/** No key may serve for more packets (RFC 3711 §9.2). */
const longestLifetime = 2 ** 48;

/** How many packets may come under a key; undefined where nothing is said of it (RFC 4568 §6.1). */
export const lifetimeOf = ({ lifetime: text }: Pick<CryptoKey, 'lifetime'>): number | undefined => {
  if (text === undefined) return undefined;

  return Math.min(longestLifetime, text.startsWith('2^') ? 2 ** Number(text.slice(2)) : Number(text));
};

const keysOf = (text: string): readonly CryptoKey[] => {
  const parts = text.split(';');
  const keys = parts.slice(0, mostKeys).map(keyOf);
  const read = keys.flatMap((key) => key ?? []);
  // Several keys are told apart by their MKI, which has one length in all of them (§6.1).
  const lengths = new Set(read.map(({ mki }) => mki?.length));
  const isClear = read.length === 1 || (lengths.size === 1 && !lengths.has(undefined));

  return read.length === parts.length && isClear ? read : [];
};

/** The value of one a=crypto; undefined where it has no tag or suite. Never throws. */
export const parseCrypto = (value: string): CryptoLine | undefined => {
  const [tag = '', suite = '', keys = '', ...parameters] = value.trim().split(/\s+/);

  return /^\d{1,9}$/.test(tag) && /^\w+$/.test(suite)
    ? { tag, suite, keys: keysOf(keys), parameters }
    : undefined;
};

/** An a=crypto line that we write. */
export const formatCrypto = ({ tag, suite, keys, parameters }: CryptoLine): string =>
  [`a=crypto:${tag} ${suite} ${keys.map(({ inline }) => `inline:${inline}`).join(';')}`, ...parameters].join(
    ' ',
  );

const valuesOf = (lines: readonly string[], name: string): readonly string[] =>
  lines.filter((line) => line.startsWith(`a=${name}:`)).map((line) => line.slice(name.length + 3).trim());

const fingerprintOf = (value: string): Fingerprint | undefined => {
  const match = /^(\S+)\s+([0-9A-F]{2}(?::[0-9A-F]{2}){15,63})$/i.exec(value);

  return match ? { hash: (match[1] ?? '').toLowerCase(), value: (match[2] ?? '').toUpperCase() } : undefined;
};

const tlsIds = /^[A-Za-z0-9+/_-]{20,255}$/;

/** A fingerprint line that we write. */
export const formatFingerprint = ({ hash, value }: Fingerprint): string => `a=fingerprint:${hash} ${value}`;

const isSetup = (text: string | undefined): text is NonNullable<MediaSecurity['setup']> =>
  text === 'active' || text === 'passive' || text === 'actpass' || text === 'holdconn';

/**
 * What the lines of an m-section say of its encryption; `session` are those before the first m-line, which hold where the
 * section says nothing of its own (RFC 8122 §5, RFC 4145 §4, RFC 8839 §5.4). Never throws.
 */
export const readSecurity = (section: readonly string[], session: readonly string[]): MediaSecurity => {
  const values = (name: string): readonly string[] => {
    const own = valuesOf(section, name);

    return own.length > 0 ? own : valuesOf(session, name);
  };
  const setup = values('setup')[0]?.toLowerCase();
  const [tlsId] = values('tls-id').filter((id) => tlsIds.test(id));
  const [ufrag] = values('ice-ufrag');
  const [password] = values('ice-pwd');

  return {
    crypto: valuesOf(section, 'crypto')
      .slice(0, mostCryptoLines)
      .flatMap((value) => parseCrypto(value) ?? []),
    fingerprints: values('fingerprint')
      .slice(0, mostFingerprints)
      .flatMap((value) => fingerprintOf(value) ?? []),
    setup: isSetup(setup) ? setup : undefined,
    tlsId,
    ice: ufrag !== undefined && password !== undefined ? { ufrag, password } : undefined,
  };
};
