import { randomBytes } from 'node:crypto';
import { dtlsObstacle, srtpSuite, srtpSuites } from '@reelstream/rtp';
import type { SrtpKeying, SrtpKeys, SrtpSuite } from '@reelstream/rtp';
import { formatCrypto, isUsable, lifetimeOf, negotiatedParameters, protectionOf } from '@reelstream/sip';
import type {
  CryptoKey,
  CryptoLine,
  MediaLine,
  RequestInfo,
  Sdp,
  SecuredLine,
  SrtpPolicy,
} from '@reelstream/sip';
import type { Config } from './config.ts';
import { LegHandshakes } from './leg-handshakes.ts';
import type { DtlsProtection, HandshakesState } from './leg-handshakes.ts';
import type { TrackHandshakes } from './media/types.ts';

const suites = srtpSuites.map(({ name, keyLength, saltLength }) => ({
  name,
  masterLength: keyLength + saltLength,
}));

/** What we offer: of AES in counter mode with 256 bits nobody is known to have that and no GCM. */
const offeredSuites = srtpSuites.filter(({ name }) => !name.startsWith('AES_256_CM'));

/** Cisco's word for a peer that takes plain RTP in answer to SRTP; it stands among the option tags, or by itself. */
const fallbackTag = 'x-cisco-srtp-fallback';

const takesFallback = (info: RequestInfo): boolean =>
  info.header(fallbackTag) !== undefined ||
  (info.header('supported') ?? '')
    .toLowerCase()
    .split(/[\s,]+/)
    .includes(fallbackTag);

/** What may be taken of who sent this request: keys in the SDP only by a way that nobody else can read. */
export const srtpPolicyFor = (
  { sdesWithoutTls }: Pick<Config, 'sdesWithoutTls'>,
  info: RequestInfo,
): SrtpPolicy => ({
  suites,
  sdes: info.source.transport === 'tls' || sdesWithoutTls === 'yes',
  dtls: dtlsObstacle() === undefined,
  // Over UDP anybody may say so.
  ...(info.source.transport === 'udp' ? {} : { peer: info.source.address }),
  fallback: takesFallback(info),
});

/** What was agreed for one m-line. */
type Agreed = {
  /** As the track tells it, `sdes:AES_CM_128_HMAC_SHA1_80`, `dtls:AEAD_AES_256_GCM`. */
  readonly name: string;
  readonly keys: SrtpKeys;
};

const keyOf = (key: CryptoKey): SrtpKeying['keys'][number] => {
  const { inline, mki } = key;
  const lifetime = lifetimeOf(key);

  return { inline, ...(mki === undefined ? {} : { mki }), ...(lifetime === undefined ? {} : { lifetime }) };
};

const keyingOf = ({ suite, keys, parameters }: CryptoLine): SrtpKeying => ({
  suite: suite.toUpperCase(),
  keys: keys.map(keyOf),
  ...(parameters.some((parameter) => parameter.toUpperCase() === 'UNENCRYPTED_SRTP')
    ? { unencryptedRtp: true }
    : {}),
});

const newInline = ({ keyLength, saltLength }: SrtpSuite): string =>
  randomBytes(keyLength + saltLength).toString('base64');

/** What is agreed, as plain data; it holds keys. */
export type EncryptionState = {
  readonly policy: SrtpPolicy;
  readonly agreed?: readonly (readonly [number, Agreed])[];
  readonly own?: readonly (readonly [string, string])[];
  readonly awaited?: readonly number[];
  readonly handshakes?: HandshakesState;
  readonly isUsed?: boolean;
};

/** How the media of one dialog is encrypted, line by line (RFC 4568, RFC 5763), and the keys of both sides. */
export class LegEncryption {
  readonly policy: SrtpPolicy;
  readonly #agreed: Map<number, Agreed>;
  /** Our keys by line and suite: they stay for the life of the dialog. */
  readonly #own: Map<string, string>;
  /** Lines that we have offered keys for; the answer is on its way. */
  readonly #awaited: Set<number>;
  readonly #handshakes: LegHandshakes;
  #isUsed: boolean;

  constructor({ policy, agreed, own, awaited, handshakes, isUsed = false }: EncryptionState) {
    this.policy = policy;
    this.#agreed = new Map(agreed);
    this.#own = new Map(own);
    this.#awaited = new Set(awaited);
    this.#handshakes = new LegHandshakes(handshakes);
    this.#isUsed = isUsed;
  }

  /** As it is now. */
  get state(): EncryptionState {
    const { policy } = this;
    if (!this.#isUsed) return { policy };
    const handshakes = this.#handshakes.state;

    return {
      policy,
      agreed: [...this.#agreed],
      own: [...this.#own],
      awaited: [...this.#awaited],
      ...(handshakes && { handshakes }),
      isUsed: true,
    };
  }

  /** How each line of an offer will be protected, and what our answer says of it. */
  answer(offer: Sdp): readonly SecuredLine[] {
    return offer.media.map((line) => this.#secure(line));
  }

  /** Profile and attributes of a line of an offer of ours: as agreed before, or all that we can take. */
  offer(index: number): { readonly protocol: string; readonly security: readonly string[] } {
    const { sdes, fallback } = this.policy;
    const agreed = this.#agreed.get(index);
    const handshake = this.#handshakes.offer(index);
    if (handshake) return handshake;
    if (!sdes) return { protocol: 'RTP/AVP', security: [] };
    this.#isUsed = true;
    if (!agreed) this.#awaited.add(index);
    const wanted = agreed
      ? offeredSuites.filter(({ name }) => name === agreed.keys.local?.suite)
      : offeredSuites;
    const security = wanted.map((suite, place) => formatCrypto(this.#ownLine(index, suite, place + 1)));

    // A peer that says nothing of falling back may know no SRTP at all: to it the keys are an offer (RFC 8643 §3).
    return { protocol: fallback || agreed ? 'RTP/SAVP' : 'RTP/AVP', security };
  }

  /** The answer to an offer of ours. A line without keys is one of plain RTP. */
  answered(answer: Sdp): void {
    for (const line of answer.media) {
      if (this.#handshakes.has(line.index)) {
        this.#secure(line);
        continue;
      }
      this.#awaited.delete(line.index);
      const crypto = this.policy.sdes ? line.crypto.find((each) => isUsable(each, this.policy)) : undefined;
      if (crypto) this.#agree(line.index, crypto);
      else this.#agreed.delete(line.index);
    }
  }

  /** Whether keys were ever offered or agreed. */
  get isUsed(): boolean {
    return this.#isUsed;
  }

  keysAt(index: number): SrtpKeys | 'awaited' | undefined {
    const isAwaited = this.#awaited.has(index) || this.#handshakes.has(index);

    return this.#agreed.get(index)?.keys ?? (isAwaited ? 'awaited' : undefined);
  }

  /** The handshake that a line's keys come from, or those that shall take their place. */
  handshakesAt(index: number): TrackHandshakes | undefined {
    return this.#handshakes.pendingAt(index);
  }

  /** The handshake of a line has brought keys. False where nobody waits for them any more. */
  shaken(index: number, id: string, keys: SrtpKeys): boolean {
    if (!keys.remote || !this.#handshakes.agreed(index, id, keys)) return false;
    this.#agreed.set(index, { name: `dtls:${keys.remote.suite}`, keys });

    return true;
  }

  nameAt(index: number): string | undefined {
    return this.#agreed.get(index)?.name;
  }

  #secure(line: MediaLine): SecuredLine {
    const protection = protectionOf(line, this.policy);
    if (protection.kind === 'dtls') return { protection, attributes: this.#shake(line, protection) };
    this.#handshakes.end(line.index);
    if (protection.kind !== 'sdes') {
      this.#agreed.delete(line.index);

      return { protection, attributes: [] };
    }
    const { crypto } = protection;
    const suite = this.#agree(line.index, crypto);
    const ours = { ...this.#ownLine(line.index, suite, 1), tag: crypto.tag, suite: crypto.suite };

    return { protection, attributes: [formatCrypto({ ...ours, parameters: negotiatedParameters(crypto) })] };
  }

  /** Keys of an association before are good until those of the next have come. */
  #shake(line: MediaLine, protection: DtlsProtection): readonly string[] {
    this.#isUsed = true;
    if (!this.#handshakes.has(line.index)) this.#agreed.delete(line.index);

    return this.#handshakes.answer(line, protection);
  }

  #agree(index: number, crypto: CryptoLine): SrtpSuite {
    const suite = srtpSuite(crypto.suite);
    if (!suite) throw new Error(`${crypto.suite} was chosen, but is none of ours`);
    const remote = keyingOf(crypto);
    const local = { suite: suite.name, keys: [{ inline: this.#ownKey(index, suite) }] };
    this.#isUsed = true;
    this.#agreed.set(index, { name: `sdes:${suite.name}`, keys: { remote, local } });

    return suite;
  }

  #ownLine(index: number, suite: SrtpSuite, tag: number): CryptoLine {
    const keys = [{ inline: this.#ownKey(index, suite), lifetime: undefined, mki: undefined }];

    return { tag: String(tag), suite: suite.name, keys, parameters: [] };
  }

  #ownKey(index: number, suite: SrtpSuite): string {
    const name = `${index} ${suite.name}`;
    const known = this.#own.get(name) ?? newInline(suite);
    this.#own.set(name, known);

    return known;
  }
}
