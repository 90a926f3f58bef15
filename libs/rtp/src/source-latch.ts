import { isIP } from 'node:net';
import { sequenceNumberAt, ssrcAt } from './header.ts';
import { formatSource, parseSource } from './packet-batch.ts';

/**
 * Whose packets a stream takes.
 * - `follow`: of where media really comes from, be it behind a NAT; another source is followed where it carries on.
 * - `strict`: of the address that the peer's description names, and where it names none, of the first.
 * - `any`: of everybody.
 */
export type SourcePolicy = 'follow' | 'strict' | 'any';

export const sourcePolicies: readonly SourcePolicy[] = ['follow', 'strict', 'any'];

export type Endpoint = { readonly address: string; readonly port: number };

/** Of another port of the same address: longer than between two packets of a stream. */
const silentForPortNs = 200e6;
/** Of another address: longer than the pauses that comfort noise leaves. */
const silentForAddressNs = 2e9;
/** A stream that moves loses packets on its way, but not more (RFC 3550 A.1, MAX_DROPOUT). */
const carriesOnWithin = 3_000;

const longestSource = 18;
const portLength = 2;

/** A source as frames name it (packet-batch.ts), in bytes that stay. */
class Source {
  readonly bytes = Buffer.alloc(longestSource);
  length = 0;
  /** Of these bytes, once somebody has asked. */
  #endpoint: Endpoint | undefined;

  set(from: Buffer, at: number, length: number): void {
    this.length = Math.min(length, longestSource);
    this.#endpoint = undefined;
    for (let i = 0; i < this.length; i++) this.bytes[i] = from[at + i]!;
  }

  /** Whether these are its bytes already. */
  holds(from: Buffer, at: number, length: number): boolean {
    if (length !== this.length) return false;
    for (let i = 0; i < length; i++) if (this.bytes[i] !== from[at + i]) return false;

    return true;
  }

  is(other: Source): boolean {
    return this.length === other.length && this.#same(other, 0);
  }

  isOfAddress(other: Source): boolean {
    return this.length > 0 && this.length === other.length && this.#same(other, portLength);
  }

  get endpoint(): Endpoint | undefined {
    if (this.length === 0) return undefined;

    return (this.#endpoint ??= parseSource(this.bytes.subarray(0, this.length)));
  }

  #same(other: Source, from: number): boolean {
    for (let i = from; i < this.length; i++) if (this.bytes[i] !== other.bytes[i]) return false;

    return true;
  }
}

/**
 * Decides packet by packet whether it comes from where the stream's media come from. The rules are docs/media.md's: a recorder
 * must not lose a stream that moves, nor take in what strangers send to its port.
 */
export class SourceLatch {
  /** Packets that were not taken. */
  strays = 0;
  /** Times that another source was followed. */
  moves = 0;
  #policy: SourcePolicy;
  readonly #rtp = new Source();
  readonly #rtcp = new Source();
  readonly #named = new Source();
  /** Sources of the frames that follow. */
  readonly #seenRtp = new Source();
  readonly #seenRtcp = new Source();
  #isLatched = false;
  #lastNs = 0;
  #ssrc = 0;
  #sequenceNumber = 0;

  constructor(policy: SourcePolicy) {
    this.#policy = policy;
  }

  /** Where media come from; undefined until the first packet. */
  get rtp(): Endpoint | undefined {
    return this.#rtp.endpoint;
  }

  /** Where the last RTCP came from. */
  get rtcp(): Endpoint | undefined {
    return this.#rtcp.endpoint;
  }

  /** The peer's description says that it is there. */
  describe({ address, port }: Endpoint): void {
    const bytes = formatSource(address, port);
    this.#named.set(bytes, 0, bytes.length);
  }

  /** Packets prove by themselves whose they are (SRTP): every source is followed. */
  trust(): void {
    this.#policy = 'any';
  }

  /** RTP that follows in the run comes from the source at `run[at .. at + length]`. */
  seeRtpSource(run: Buffer, at: number, length: number): void {
    if (this.#seenRtp.holds(run, at, length)) return;
    this.#seenRtp.set(run, at, length);
    this.#isLatched = this.#seenRtp.is(this.#rtp);
  }

  seeRtcpSource(run: Buffer, at: number, length: number): void {
    this.#seenRtcp.set(run, at, length);
  }

  /** Whether the RTP packet at `at`, of the source seen last, is the stream's. */
  takeRtp(run: Buffer, at: number, arrivalNs: number): boolean {
    if (!this.#isLatched) {
      if (!this.#mayFollow(run, at, arrivalNs)) {
        this.strays++;

        return false;
      }
      if (this.#rtp.length > 0) this.moves++;
      this.#rtp.set(this.#seenRtp.bytes, 0, this.#seenRtp.length);
      this.#isLatched = true;
    }
    this.#lastNs = arrivalNs;
    this.#ssrc = ssrcAt(run, at);
    this.#sequenceNumber = sequenceNumberAt(run, at);

    return true;
  }

  /** Whom RTP is taken of without a question, as a source frame tells it; undefined: the next packet has to be judged. */
  get latchedSource(): Uint8Array | undefined {
    return this.#isLatched ? this.#rtp.bytes.subarray(0, this.#rtp.length) : undefined;
  }

  /** Comes to the same as `takeRtp` of packets of that source, of which this was the last. */
  takeFollowing(sequenceNumber: number, arrivalNs: number): void {
    this.#sequenceNumber = sequenceNumber;
    this.#lastNs = arrivalNs;
  }

  /** RTCP may come from any port of the addresses that media come from, or should. */
  takeRtcp(): boolean {
    const seen = this.#seenRtcp;
    const known = this.#rtp.length > 0 || this.#named.length > 0;
    if (this.#policy !== 'any' && known && !seen.isOfAddress(this.#rtp) && !seen.isOfAddress(this.#named)) {
      this.strays++;

      return false;
    }
    this.#rtcp.set(seen.bytes, 0, seen.length);

    return true;
  }

  #mayFollow(run: Buffer, at: number, arrivalNs: number): boolean {
    if (this.#policy === 'any') return true;
    const seen = this.#seenRtp;
    if (this.#policy === 'strict' && this.#named.length > 0 && !seen.isOfAddress(this.#named)) return false;
    if (this.#rtp.length === 0) return true;
    const sameAddress = seen.isOfAddress(this.#rtp);
    if (this.#policy === 'strict' && this.#named.length === 0 && !sameAddress) return false;
    if (this.#rank(seen) > this.#rank(this.#rtp) || this.#carriesOn(run, at)) return true;

    return arrivalNs - this.#lastNs >= (sameAddress ? silentForPortNs : silentForAddressNs);
  }

  /** How well a source fits the peer's description. */
  #rank(source: Source): number {
    if (!source.isOfAddress(this.#named)) return 0;

    return source.is(this.#named) ? 2 : 1;
  }

  /** The same sender's next packet: who doesn't see the stream can't guess its SSRC. */
  #carriesOn(run: Buffer, at: number): boolean {
    const ahead = (sequenceNumberAt(run, at) - this.#sequenceNumber) & 0xffff;

    return ssrcAt(run, at) === this.#ssrc && ahead > 0 && ahead < carriesOnWithin;
  }
}

/** Whether two texts are one IP address; 2001:db8::1 has many. */
export const isSameAddress = (left: string, right: string): boolean =>
  left === right ||
  (isIP(left) !== 0 && isIP(right) !== 0 && formatSource(left, 0).equals(formatSource(right, 0)));
