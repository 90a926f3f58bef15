import type { Via } from '../message/via.ts';
import { formatVia, parseVia } from '../message/via.ts';
import type { Endpoint, Flow } from './endpoint.ts';

/** Requests beyond this go over a stream where the path MTU isn't known (RFC 3261 §18.1.1). */
export const MAX_DATAGRAM_REQUEST_BYTES = 1300;

/** As long as an INVITE may ring, and its CANCEL must go the same way. */
const KEPT_MS = 300_000;
/** A peer that refused a stream isn't asked again for this long. */
const REFUSED_MS = 60_000;
const MAX_KEPT = 10_000;
const STATUS_LINE = 'SIP/2.0 ';

type Moved = { readonly bytes: Buffer; readonly until: number; isRefused: boolean };
type Send = (bytes: Buffer, flow: Flow, failed: (error: Error) => void) => void;

/**
 * Requests too large for a datagram, each sent over TCP to the same address with its Via changed, and over UDP after all
 * where the peer refuses. What shares the branch (the CANCEL, the ACK to a failure) goes the way its INVITE went (§9.1,
 * §17.1.1.3), and repeats of what a stream has taken are left out: there are none over a reliable transport.
 */
export class LargeRequests {
  readonly #byBranch = new Map<string, Moved>();
  readonly #refusing = new Map<string, number>();
  readonly #overStream: Send;
  readonly #overDatagram: Send;

  constructor(overStream: Send, overDatagram: Send) {
    this.#overStream = overStream;
    this.#overDatagram = overDatagram;
  }

  /** False for what goes over UDP in any case: responses, and requests that are small while none is on a stream. */
  concerns(bytes: Buffer): boolean {
    const isLarge = bytes.length > MAX_DATAGRAM_REQUEST_BYTES;
    return (isLarge || this.#byBranch.size > 0) && !isResponse(bytes);
  }

  /** Sends a request in the place of UDP, from `local`, our stream listener; false where it should go over UDP. */
  send(bytes: Buffer, flow: Flow, local: Endpoint, failed: (error: Error) => void): boolean {
    if (!this.concerns(bytes)) return false;
    const isLarge = bytes.length > MAX_DATAGRAM_REQUEST_BYTES;
    const place = viaOf(bytes);
    const branch = place?.via.params.get('branch');
    if (place === undefined || branch === undefined) return false;
    const known = this.#byBranch.get(branch);
    if (known?.isRefused === true || (known === undefined && !isLarge)) return false;
    if (known?.bytes === bytes) return true;
    const peer = `${flow.remote.address} ${flow.remote.port}`;
    if (known === undefined && (this.#refusing.get(peer) ?? 0) > performance.now()) return false;
    const moved = known ?? { bytes, until: performance.now() + KEPT_MS, isRefused: false };
    if (known === undefined) keep(this.#byBranch, branch, moved, (each) => each.until);
    // By another name than the bound one the peer knows us on every transport.
    const host = place.via.host === flow.local.address ? local.address : place.via.host;
    const value = formatVia({ ...place.via, transport: 'TCP', host, port: local.port });
    const changed = Buffer.concat([
      bytes.subarray(0, place.start),
      Buffer.from(value, 'latin1'),
      bytes.subarray(place.end),
    ]);
    this.#overStream(changed, { local, remote: { ...flow.remote, protocol: 'tcp' } }, () => {
      moved.isRefused = true;
      keep(this.#refusing, peer, performance.now() + REFUSED_MS, (until) => until);
      this.#overDatagram(bytes, flow, failed);
    });
    return true;
  }
}

/** Adds to a map what will be forgotten: entries whose time is over go first, then the oldest. */
function keep<T>(map: Map<string, T>, key: string, value: T, untilOf: (value: T) => number): void {
  for (const [oldest, entry] of map) {
    if (untilOf(entry) > performance.now() && map.size < MAX_KEPT) break;
    map.delete(oldest);
  }
  map.delete(key);
  map.set(key, value);
}

function isResponse(bytes: Buffer): boolean {
  return bytes.toString('latin1', 0, STATUS_LINE.length) === STATUS_LINE;
}

/** Our own top Via, which stands first in what we write, on a line of its own. */
function viaOf(
  bytes: Buffer,
): { readonly via: Via; readonly start: number; readonly end: number } | undefined {
  const start = bytes.indexOf('Via: ', 0, 'latin1') + 'Via: '.length;
  const end = bytes.indexOf('\r\n', start, 'latin1');
  const via = parseVia(bytes.toString('latin1', start, end));
  return via === undefined ? undefined : { via, start, end };
}
