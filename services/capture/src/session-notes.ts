import { hash } from 'node:crypto';
import type { EndReason } from '@reelstream/events';
import { decryptSecret, encryptSecret } from '@reelstream/service';
import type { Secret } from '@reelstream/service';
import { withNegotiated } from './core/sealing.ts';
import type { NegotiatedCodecs } from './core/sealing.ts';
import type { Notes } from './ledger.ts';
import type { LegState } from './leg-state.ts';
import type { SessionClock } from './session-clock.ts';

type Kept = Readonly<Record<string, unknown>>;

/** The dialogs of a session, and why the one ended that ended last. */
export type Dialogs = { readonly legs: readonly LegState[]; readonly lastReason: EndReason };

/**
 * What a later life of this node needs to go on with a session, kept in its journal beside its events: what the clocks said,
 * the codecs by track, and its dialogs, encrypted under the cluster's key, since they hold those of the media.
 */
export class SessionNotes implements Notes {
  readonly #clusterKey: Secret;
  readonly #clock: SessionClock;
  readonly #dialogs: () => Dialogs;
  /** What was written last, by digest: a dialog with its metadata is some kilobytes. */
  readonly #written = new Map<string, string>();
  #codecs: NegotiatedCodecs;

  /** `kept`: what the journal holds already; `dialogs`: what they are now. */
  constructor(
    kept: Kept,
    clusterKey: Secret,
    now: { readonly clock: SessionClock; readonly dialogs: () => Dialogs },
  ) {
    this.#clusterKey = clusterKey;
    this.#clock = now.clock;
    this.#dialogs = now.dialogs;
    this.#codecs = readCodecs(kept);
  }

  get codecs(): NegotiatedCodecs {
    return this.#codecs;
  }

  /** Codecs negotiated for tracks, beside those negotiated before. */
  negotiated(codecs: NegotiatedCodecs): void {
    this.#codecs = withNegotiated(this.#codecs, codecs);
  }

  changed(): { readonly notes: Kept; readonly kept: () => void } {
    const now = Object.entries({ clock: this.#clock.anchor, codecs: this.#codecs, dialogs: this.#dialogs() })
      .map(([name, value]) => ({ name, value, text: JSON.stringify(value) }))
      .map((note) => ({ ...note, digest: hash('sha256', note.text) }))
      .filter(({ name, digest }) => this.#written.get(name) !== digest);

    return {
      notes: Object.fromEntries(
        now.map(({ name, value, text }) => [
          name,
          name === 'dialogs' ? encryptSecret(this.#clusterKey, text) : value,
        ]),
      ),
      kept: () => {
        for (const { name, digest } of now) this.#written.set(name, digest);
      },
    };
  }
}

/** The codecs that a journal's notes hold. */
export const readCodecs = ({ codecs }: Kept): NegotiatedCodecs => (codecs ?? {}) as NegotiatedCodecs;

/** The dialogs that they hold. Throws where those were altered, or encrypted under another cluster's key. */
export const readDialogs = ({ dialogs }: Kept, clusterKey: Secret): Dialogs =>
  typeof dialogs === 'string'
    ? (JSON.parse(decryptSecret(clusterKey, dialogs)) as Dialogs)
    : { legs: [], lastReason: 'interrupted' };
