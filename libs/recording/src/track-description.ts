import { mediaFigures } from '@reelstream/rtp';
import type { ControlStatistics, StreamStatistics } from '@reelstream/rtp';
import type { Codec, ManifestTrack } from './manifest.ts';

/** ns to ms, to a µs. */
export const ms = (ns: number): number => Math.round(ns / 1e3) / 1e3;

export type Counted = {
  readonly statistics: StreamStatistics;
  readonly control: ControlStatistics;
  /** Packets that are missing because they were not wanted. */
  readonly unwanted: number;
  readonly codecs: readonly Codec[];
};

/** What the manifest says of a track's packets as they were counted. Arrivals count from the start of the session. */
export const countedIn = ({
  statistics,
  control,
  unwanted,
  codecs,
}: Counted): Pick<
  ManifestTrack,
  'spans' | 'packets' | 'rtcpPackets' | 'lost' | 'jitterMs' | 'figures' | 'senderReports' | 'durationMs'
> => {
  const { packets, lost, firstNs, lastNs, stretches } = statistics;
  const names = new Map(codecs.map(({ payloadType, codec }) => [payloadType, codec]));
  const figures = mediaFigures(statistics, control, { codecs: names, unwanted });

  return {
    spans: stretches.map(({ ssrc, payloadType, fromNs, toNs, packets: count, ptimeMs }) => ({
      ssrc,
      payloadType,
      fromMs: ms(fromNs),
      toMs: ms(toNs),
      packets: count,
      ...(ptimeMs !== undefined && { ptimeMs }),
    })),
    packets,
    rtcpPackets: control.packets,
    lost: Math.max(0, lost - unwanted),
    ...(figures.jitterMs !== undefined && { jitterMs: figures.jitterMs }),
    figures,
    ...(control.reports.length > 0 && {
      senderReports: control.reports.map(({ ssrc, arrivalNs, unixNs, timestamp }) => ({
        ssrc,
        atMs: ms(arrivalNs),
        wallNs: unixNs.toString(),
        timestamp,
      })),
    }),
    durationMs: ms((lastNs ?? 0) - (firstNs ?? 0)),
  };
};
