import type { PacketTransform } from '../packet-transform.ts';
import type { SrtpKeying } from './keying.ts';
import type { Rollover } from './rollover.ts';
import { SrtcpSender } from './srtcp-sender.ts';
import { SrtpReceiver } from './srtp-receiver.ts';
import type { SrtpCounts } from './srtp-receiver.ts';

/** Keys of an encrypted stream, both ways, and where it goes on. All of it is a secret. */
export type SrtpKeys = {
  /** Those that the peer sends under; absent as long as nobody knows them: then nothing passes. */
  readonly remote?: SrtpKeying;
  /** Those that our RTCP goes out under. */
  readonly local?: SrtpKeying;
  /** Of RTCP, where that has a handshake of its own (RFC 5764 §4): as long as there are none, none passes. */
  readonly control?: { readonly remote?: SrtpKeying; readonly local?: SrtpKeying };
  /** Where each SSRC stood in an earlier life of the process. */
  readonly rollovers?: readonly Rollover[];
  /** How many lives of the process have had these keys before. */
  readonly life?: number;
};

/** The SRTP of one m-line, both ways: what stands between its sockets and everything that reads its packets. */
export class SrtpSession implements PacketTransform {
  readonly #receiver = new SrtpReceiver();
  /** Of RTCP, where its keys are others. */
  #control: SrtpReceiver | undefined;
  #sender: SrtcpSender | undefined;
  #local = '';

  constructor(keys: SrtpKeys) {
    this.setKeys(keys);
    if (keys.rollovers) this.#receiver.restore(keys.rollovers);
  }

  get counts(): SrtpCounts {
    const of = [this.#receiver.counts, ...(this.#control ? [this.#control.counts] : [])];
    const sum = (name: keyof SrtpCounts): number => of.reduce((all, counts) => all + counts[name], 0);

    return {
      passed: sum('passed'),
      authFailed: sum('authFailed'),
      replayed: sum('replayed'),
      noContext: sum('noContext'),
      overLifetime: sum('overLifetime'),
    };
  }

  /** New keys, from now on; the same as before change nothing. */
  setKeys({ remote, local: ofRtp, control, life }: SrtpKeys): void {
    if (remote) this.#receiver.setKeys(remote);
    this.#control = control && (this.#control ?? new SrtpReceiver());
    if (control?.remote) this.#control?.setKeys(control.remote);
    const local = control ? control.local : ofRtp;
    const text = JSON.stringify(local ?? null);
    if (text === this.#local) return;
    this.#local = text;
    this.#sender = local && SrtcpSender.from(local, life);
  }

  /** See SrtpReceiver. */
  takeRollovers(): readonly Rollover[] | undefined {
    return this.#receiver.takeRollovers();
  }

  unprotect(packet: Buffer, kind: 'rtp' | 'rtcp'): Buffer | undefined {
    const receiver = kind === 'rtcp' ? (this.#control ?? this.#receiver) : this.#receiver;

    return receiver.unprotect(packet, kind);
  }

  protect(rtcp: Buffer): Buffer | undefined {
    return this.#sender?.protect(rtcp);
  }
}
