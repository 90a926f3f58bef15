import { receiveBufferFor } from '@reelstream/rtp';
import type { MediaThreads } from './media-threads.ts';
import type { Bound } from './messages.ts';
import { PortPool } from './port-pool.ts';
import type { TrackPorts, TrackRequest } from './types.ts';

export type BoundTrack =
  | { readonly ok: true; readonly ports: TrackPorts; readonly worker: number }
  | { readonly ok: false; readonly refusal: 'no-ports' | 'bad-address' | 'closed'; readonly detail: string };

type Place = {
  readonly sessionId: string;
  readonly address: string;
  readonly paused: boolean;
};

const defaultBitrateKbps = { audio: 64, video: 2_000 } as const;
/** Ports that other programs hold are skipped, but not without end. */
const mostAttempts = 32;
const refusals = { taken: 'no-ports', address: 'bad-address', other: 'closed' } as const;

/** Finds free ports and has the receiving threads bind them. */
export class SocketBinder {
  readonly #threads: Pick<MediaThreads, 'get' | 'count' | 'isReady'>;
  /** Of each thread. */
  readonly #pools: readonly PortPool[];

  constructor(threads: MediaThreads, ports: { readonly first: number; readonly last: number }) {
    this.#threads = threads;
    this.#pools = PortPool.split(ports.first, ports.last, threads.count);
  }

  get freePorts(): number {
    return this.#pools.reduce((sum, { free }) => sum + free, 0);
  }

  /** Binds the pair of one track: the port it asks for, or the next that is free. */
  async bind(place: Place, track: TrackRequest): Promise<BoundTrack> {
    let detail = 'every port pair is in use';
    const attempts = track.rtpPort === undefined ? mostAttempts : 1;
    for (let attempt = 0; attempt < attempts; attempt++) {
      const taken = this.#takePort(track.rtpPort);
      if (!taken) break;
      const { rtpPort, worker } = taken;
      const bound = await this.#open(worker, place, track, rtpPort);
      if (bound.ok) return { ok: true, ports: this.#ports(place, track, rtpPort), worker };
      this.free(rtpPort);
      if (bound.reason !== 'taken')
        return { ok: false, refusal: refusals[bound.reason], detail: bound.detail };
      detail = bound.detail;
    }

    return { ok: false, refusal: 'no-ports', detail };
  }

  /** The pair's sockets are closed. */
  free(rtpPort: number): void {
    this.#pools.find((pool) => pool.owns(rtpPort))?.give(rtpPort);
  }

  #ports({ address }: Place, { trackNumber }: TrackRequest, rtpPort: number): TrackPorts {
    return { trackNumber, address, rtpPort, rtcpPort: rtpPort + 1 };
  }

  #open(worker: number, place: Place, track: TrackRequest, rtpPort: number): Promise<Bound> {
    const {
      trackNumber,
      mediaType,
      clockRates = {},
      bitrateKbps = defaultBitrateKbps[track.mediaType],
      keys,
      handshakes,
      agreed,
    } = track;
    const receiveBufferBytes = receiveBufferFor(bitrateKbps);
    const known = { ...(keys && { keys }), ...(handshakes && { handshakes }), ...(agreed && { agreed }) };

    return this.#threads
      .get(worker)
      .call('open', { ...place, trackNumber, mediaType, rtpPort, receiveBufferBytes, clockRates, ...known })
      .catch((error: unknown) => ({ ok: false, reason: 'other', detail: String(error) }));
  }

  /** The very port, or one of the running thread that has the most left: it has the least to do. */
  #takePort(wanted: number | undefined): { readonly rtpPort: number; readonly worker: number } | undefined {
    if (wanted !== undefined) {
      const worker = this.#pools.findIndex((pool) => pool.owns(wanted));

      return this.#pools[worker]?.takeExactly(wanted) ? { rtpPort: wanted, worker } : undefined;
    }
    const free = this.#pools.map((pool, worker) => (this.#threads.isReady(worker) ? pool.free : 0));
    const worker = free.indexOf(Math.max(...free));
    const rtpPort = this.#pools[worker]?.take();

    return rtpPort === undefined ? undefined : { rtpPort, worker };
  }
}
