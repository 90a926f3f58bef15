/**
 * Reads and writes packets under the session keys of one direction, RTP or RTCP. Packets are changed where they lie,
 * and only once they are known to be genuine. `index` is rollover counter and sequence number in one (48 bits); `word`
 * is SRTCP's trailing 32 bits, the flag E and the index (RFC 3711 §3.4). Where the MKI stands differs by cipher.
 *
 * ```
 * AES-CM   RTP   header | encrypted            | MKI  | tag        RTCP  header | encrypted            | word | MKI | tag
 * AES-GCM  RTP   header | encrypted with tag   | MKI               RTCP  header | encrypted with tag   | word | MKI
 * ```
 */
export interface PacketCipher {
  readonly tagLength: number;
  /** Length of the plain packet, or -1 if it is not genuine. `plain`: only authenticated, not encrypted. */
  openRtp(
    packet: Buffer,
    bodyAt: number,
    mkiLength: number,
    ssrc: number,
    index: number,
    plain: boolean,
  ): number;
  /** The same of an RTCP packet; whether it is encrypted, `word` tells. */
  openRtcp(packet: Buffer, mkiLength: number, ssrc: number, word: number): number;
  sealRtcp(packet: Buffer, ssrc: number, word: number): Buffer;
  /** Where `word` stands; negative where the packet is too short for one. */
  wordAt(packet: Buffer, mkiLength: number): number;
  mkiAt(packet: Buffer, mkiLength: number): number;
}
