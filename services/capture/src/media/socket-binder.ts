import { receiveBufferFor } from '@reelstream/rtp';
import type { MediaThreads } from './media-threads.ts';
import type { Bound } from './messages.ts';
import { PortPool } from './port-pool.ts';
import type { TrackPorts, TrackRequest } from './types.ts';

export type BoundTrack =
  | { readonly ok: true; readonly ports: TrackPorts }
  | { readonly ok: false; readonly refusal: 'no-ports' | 'bad-address' | 'closed'; readonly detail: string };

type Place = {
  readonly sessionId: string;
  readonly worker: number;
  readonly address: string;
  readonly paused: boolean;
};

const defaultBitrateKbps = { audio: 64, video: 2_000 } as const;
/** Ports that other programs hold are skipped, but not without end. */
const mostAttempts = 32;
const refusals = { taken: 'no-ports', address: 'bad-address', other: 'closed' } as const;

/** Finds free ports and has the receiving threads bind them. */
export class SocketBinder {
  readonly #threads: MediaThreads;
  readonly #pool: PortPool;

  constructor(threads: MediaThreads, ports: { readonly first: number; readonly last: number }) {
    this.#threads = threads;
    this.#pool = new PortPool(ports.first, ports.last);
  }

  get freePorts(): number {
    return this.#pool.free;
  }

  /** Binds the pair of one track: the port it asks for, or the next that is free. */
  async bind(place: Place, track: TrackRequest): Promise<BoundTrack> {
    let detail = 'every port pair is in use';
    const attempts = track.rtpPort === undefined ? mostAttempts : 1;
    for (let attempt = 0; attempt < attempts; attempt++) {
      const rtpPort = this.#takePort(track.rtpPort);
      if (rtpPort === undefined) break;
      const bound = await this.#open(place, track, rtpPort);
      if (bound.ok) return { ok: true, ports: this.#ports(place, track, rtpPort) };
      this.#pool.give(rtpPort);
      if (bound.reason !== 'taken')
        return { ok: false, refusal: refusals[bound.reason], detail: bound.detail };
      detail = bound.detail;
    }

    return { ok: false, refusal: 'no-ports', detail };
  }

  /** The pair's sockets are closed. */
  free(rtpPort: number): void {
    this.#pool.give(rtpPort);
  }

  #ports({ address }: Place, { trackNumber }: TrackRequest, rtpPort: number): TrackPorts {
    return { trackNumber, address, rtpPort, rtcpPort: rtpPort + 1 };
  }

  #open({ worker, ...place }: Place, track: TrackRequest, rtpPort: number): Promise<Bound> {
    const { trackNumber, clockRates = {}, bitrateKbps = defaultBitrateKbps[track.mediaType] } = track;
    const receiveBufferBytes = receiveBufferFor(bitrateKbps);

    return this.#threads
      .get(worker)
      .call('open', { ...place, trackNumber, rtpPort, receiveBufferBytes, clockRates })
      .catch((error: unknown) => ({ ok: false, reason: 'other', detail: String(error) }));
  }

  #takePort(wanted: number | undefined): number | undefined {
    if (wanted === undefined) return this.#pool.take();

    return this.#pool.takeExactly(wanted) ? wanted : undefined;
  }
}
