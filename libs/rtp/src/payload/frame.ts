/** One RTP packet as its payload format sees it. */
export type MediaPacket = {
  readonly payload: Uint8Array;
  readonly marker: boolean;
  /** RTP timestamp without wrapping. */
  readonly timestamp: number;
  /** Whether it follows the packet before it without loss. */
  readonly follows: boolean;
};

/** What a decoder takes at a time. */
export type Frame = {
  readonly bytes: Uint8Array;
  /** RTP timestamp without wrapping. */
  readonly timestamp: number;
};

/** A payload format: the frames that a packet completes; undefined where the payload breaks the format. */
export type Depacketise = (packet: MediaPacket) => readonly Frame[] | undefined;

/** Format parameters (`a=fmtp`) by lower-case name. */
export const formatParameters = (fmtp: string | undefined): ReadonlyMap<string, string> =>
  new Map(
    (fmtp ?? '')
      .split(';')
      .map((part) => part.trim().split(/\s*=\s*/, 2))
      .filter(([name]) => name !== '')
      .map(([name = '', value = '']) => [name.toLowerCase(), value]),
  );
