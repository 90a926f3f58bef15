/** Attributes that carry keys or passwords: SDES (RFC 4568), MIKEY (RFC 4567), ICE (RFC 8839); and the old k= line. */
const secretLines = /^([ \t]*(?:a=(?:crypto|key-mgmt|ice-pwd):|k=))[^\r\n]*/gim;
/** A key wherever else it may stand: in a line that is folded, quoted, or no line at all. */
const inlineKeys = /\binline:[^\s"'<>;]+/gi;

/** A body as it may be kept: the keys of a call's encryption stand nowhere in the clear. */
export const withoutKeys = (body: string): string =>
  body.replace(secretLines, '$1removed').replace(inlineKeys, 'inline:removed');
