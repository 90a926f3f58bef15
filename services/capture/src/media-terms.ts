import { agreedFeedback } from '@reelstream/sip';
import type { Bandwidth, Codec, MediaLine } from '@reelstream/sip';

/** What was agreed of a stream beside its codecs: where it says it comes from, and what its sender may be told. */
export type MediaTerms = {
  /** Where the peer says that it takes RTP and RTCP; undefined where it names no address. */
  readonly remote:
    | {
        readonly address: string;
        readonly rtpPort: number;
        readonly rtcpAddress: string;
        readonly rtcpPort: number;
      }
    | undefined;
  /** RTP and RTCP on one port (RFC 5761). */
  readonly rtcpMux: boolean;
  /** A new picture may be asked for by PLI (RFC 4585), by FIR (RFC 5104). */
  readonly pli: boolean;
  readonly fir: boolean;
  readonly bandwidth: Bandwidth;
};

/** What the peer's description of a line agrees to, be it the offer we answer or the answer to ours. */
export const agreedIn = (line: MediaLine, codecs: readonly Codec[]): MediaTerms => {
  const { address, port, rtcp, rtcpMux, bandwidth } = line;
  const { pli, fir } = agreedFeedback(line, codecs);
  // RFC 3605: where nothing is said, RTCP has the port above; RFC 5761 §5.1.1: with mux, its port is RTP's.
  const rtcpPort = rtcpMux ? port : (rtcp?.port ?? port + 1);
  const remote =
    address === undefined || port === 0
      ? undefined
      : { address, rtpPort: port, rtcpAddress: (rtcpMux ? undefined : rtcp?.address) ?? address, rtcpPort };

  return { remote, rtcpMux, pli, fir, bandwidth };
};

const usualKbps = { audio: 64, video: 2_000, other: 0 } as const;
/** No receive buffer grows past what this needs, whatever a description says. */
const mostKbps = 20_000;

/** What a stream's receive buffers must hold, where its description says that it is more than usual. */
export const bitrateOf = (
  line: Pick<MediaLine, 'kind' | 'bandwidth'> | undefined,
): { readonly bitrateKbps?: number } => {
  const kbps = Math.min(mostKbps, line?.bandwidth.kbps ?? 0);

  return line && kbps > usualKbps[line.kind] ? { bitrateKbps: kbps } : {};
};
