import type { CryptoLine, Fingerprint } from './sdp-crypto.ts';
import type { MediaLine } from './sdp.ts';

/** What may be taken of what a peer offers. */
export type SrtpPolicy = {
  /** Suites that we can read, with the bytes of master key and salt together. */
  readonly suites: readonly { readonly name: string; readonly masterLength: number }[];
  /** Whether keys may stand in an SDP: its way was encrypted, or it was configured so. */
  readonly sdes: boolean;
  /** Whether we take part in DTLS handshakes. */
  readonly dtls: boolean;
  /** Where the offer has come from: whoever has its media there as well can be called, others may be behind a NAT. */
  readonly peer?: string;
  /** The peer takes RTP/AVP in answer to RTP/SAVP (`X-cisco-srtp-fallback`). */
  readonly fallback: boolean;
};

/** Why an encrypted line can't be taken. */
export type ProtectionRefusal = 'sdes-without-tls' | 'no-srtp-suite' | 'no-srtp-key' | 'dtls-unsupported';

/** How the media of an m-line will be protected. */
export type Protection =
  | { readonly kind: 'none' }
  /** By the keys of this line of the peer's. */
  | { readonly kind: 'sdes'; readonly crypto: CryptoLine }
  /** By those that a handshake brings, in which we are server (`passive`) or client. */
  | {
      readonly kind: 'dtls';
      readonly setup: 'active' | 'passive';
      /** The peer has left that to us. */
      readonly mayChoose: boolean;
      readonly fingerprints: readonly Fingerprint[];
    }
  | { readonly kind: 'refused'; readonly reason: ProtectionRefusal };

const unprotected: Protection = { kind: 'none' };
const refused = (reason: ProtectionRefusal): Protection => ({ kind: 'refused', reason });

/** Session parameters that we heed; those that begin with a minus sign may be ignored (RFC 4568 §6.3.8). */
const isHeeded = (parameter: string, { suite }: CryptoLine): boolean => {
  const name = parameter.toUpperCase();
  if (name === 'UNENCRYPTED_SRTP') return !suite.toUpperCase().startsWith('AEAD');

  return name.startsWith('-') || name === 'UNENCRYPTED_SRTCP' || name === 'KDR=0' || name.startsWith('WSH=');
};

/** Parameters that both sides must say (RFC 4568 §6.3.2): those of a chosen line that our answer repeats. */
export const negotiatedParameters = ({ parameters }: CryptoLine): readonly string[] =>
  parameters.filter((parameter) => /^UNENCRYPTED_SRTC?P$/i.test(parameter));

const bytesOf = (base64: string): number => Buffer.from(base64, 'base64').length;

/** Whether the line is one that we can read. */
export const isUsable = (line: CryptoLine, { suites }: Pick<SrtpPolicy, 'suites'>): boolean => {
  const suite = suites.find(({ name }) => name === line.suite.toUpperCase());

  return (
    suite !== undefined &&
    line.keys.length > 0 &&
    line.keys.every(({ inline }) => bytesOf(inline) === suite.masterLength) &&
    line.parameters.every((parameter) => isHeeded(parameter, line))
  );
};

/** Hashes whose digest a certificate can be compared by; SHA-1 and MD5 are none any more (RFC 8122 §5). */
const hashes = new Set(['sha-256', 'sha-384', 'sha-512']);

const dtlsOf = (line: MediaLine, { dtls, peer }: SrtpPolicy): Protection => {
  const fingerprints = line.fingerprints.filter(({ hash }) => hashes.has(hash));
  const { setup, address } = line;
  if (!dtls || setup === 'holdconn') return refused('dtls-unsupported');
  if (fingerprints.length === 0) return refused('no-srtp-key');
  const mayChoose = setup === 'actpass';
  // RFC 5763 §5 would have us begin, which reaches nobody behind a NAT. An offer without a=setup is one of an active peer (RFC 4145 §4).
  const isActive = setup === 'passive' || (mayChoose && peer !== undefined && address === peer);

  return { kind: 'dtls', setup: isActive ? 'active' : 'passive', mayChoose, fingerprints };
};

const sdesOf = (line: MediaLine, policy: SrtpPolicy): Protection => {
  if (!policy.sdes) return refused('sdes-without-tls');
  // The offerer's order is its preference (RFC 4568 §5.1.2).
  const crypto = line.crypto.find((each) => isUsable(each, policy));

  return crypto ? { kind: 'sdes', crypto } : refused('no-srtp-suite');
};

/** Keys in the SDP come first: they are there at once. A handshake does where those can't be taken. */
const eitherOf = (line: MediaLine, policy: SrtpPolicy): Protection => {
  const { crypto, fingerprints } = line;
  const sdes = sdesOf(line, policy);
  if (sdes.kind !== 'refused' || fingerprints.length === 0) return sdes;
  const dtls = dtlsOf(line, policy);

  return dtls.kind === 'refused' && crypto.length > 0 ? sdes : dtls;
};

/**
 * How an offered line can be protected (RFC 4568 §7, RFC 5763, RFC 8643). Keys beside a plain profile are taken where they
 * may be and are otherwise passed over, since such a peer sends plain RTP to whoever doesn't answer them.
 */
export const protectionOf = (line: MediaLine, policy: SrtpPolicy): Protection => {
  const profile = line.protocol.toUpperCase();
  if (/^RTP\/AVPF?$/.test(profile)) {
    const isOffered = line.crypto.length > 0 || line.fingerprints.length > 0;
    const offered = isOffered ? eitherOf(line, policy) : unprotected;

    return offered.kind === 'refused' ? unprotected : offered;
  }
  if (/^UDP\/TLS\/RTP\/SAVPF?$/.test(profile)) return dtlsOf(line, policy);
  if (!/^RTP\/SAVPF?$/.test(profile)) return unprotected;
  const offered = eitherOf(line, policy);

  return offered.kind === 'refused' && policy.fallback ? unprotected : offered;
};
