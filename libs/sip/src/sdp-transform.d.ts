/** The part of sdp-transform that we read; it brings no types. Numbers stand wherever a value looks like one. */
declare module 'sdp-transform' {
  export type Section = {
    readonly rtp?: readonly {
      readonly payload: number | string;
      readonly codec: number | string;
      readonly rate?: number | string;
      readonly encoding?: number | string;
    }[];
    readonly fmtp?: readonly { readonly payload: number | string; readonly config: number | string }[];
    readonly connection?: { readonly ip: number | string };
    readonly direction?: string;
    readonly ptime?: number | string;
    readonly rtcp?: { readonly port: number | string; readonly address?: number | string };
    readonly rtcpMux?: string;
    readonly rtcpFb?: readonly {
      readonly payload: number | string;
      readonly type: string;
      readonly subtype?: number | string;
    }[];
    readonly bandwidth?: readonly { readonly type: string; readonly limit: number | string }[];
    readonly maxptime?: number | string;
    readonly mid?: number | string;
    readonly origin?: {
      readonly username: number | string;
      readonly sessionId: number | string;
      readonly sessionVersion: number | string;
      readonly address: number | string;
    };
  };

  export const parse: (text: string) => Section & { readonly media: readonly Section[] };

  const sdpTransform: { readonly parse: typeof parse };
  export default sdpTransform;
}
