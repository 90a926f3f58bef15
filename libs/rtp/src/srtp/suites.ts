/** What a protection profile prescribes; lengths in bytes. */
export type SrtpSuite = {
  /** As `a=crypto` writes it (RFC 4568 §6.2, RFC 6188 §4, RFC 7714 §14.1). */
  readonly name: string;
  readonly cipher: 'aes-cm' | 'aes-gcm';
  readonly keyLength: 16 | 32;
  readonly saltLength: 12 | 14;
  readonly rtpTagLength: number;
  /** RFC 4568 §6.2.2: the suite with the short tag has the long one for SRTCP. */
  readonly rtcpTagLength: number;
};

const counterMode = (name: string, keyLength: 16 | 32, rtpTagLength: number): SrtpSuite => ({
  name,
  cipher: 'aes-cm',
  keyLength,
  saltLength: 14,
  rtpTagLength,
  rtcpTagLength: 10,
});

const aead = (name: string, keyLength: 16 | 32): SrtpSuite => ({
  name,
  cipher: 'aes-gcm',
  keyLength,
  saltLength: 12,
  rtpTagLength: 16,
  rtcpTagLength: 16,
});

/** Every suite we can read, the one that we prefer first. */
export const srtpSuites: readonly SrtpSuite[] = [
  aead('AEAD_AES_256_GCM', 32),
  aead('AEAD_AES_128_GCM', 16),
  counterMode('AES_256_CM_HMAC_SHA1_80', 32, 10),
  counterMode('AES_256_CM_HMAC_SHA1_32', 32, 4),
  counterMode('AES_CM_128_HMAC_SHA1_80', 16, 10),
  counterMode('AES_CM_128_HMAC_SHA1_32', 16, 4),
];

export const srtpSuite = (name: string): SrtpSuite | undefined =>
  srtpSuites.find((suite) => suite.name === name.toUpperCase());
