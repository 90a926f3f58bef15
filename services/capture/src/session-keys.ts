import type { Journal } from '@reelstream/recording';
import type { Rollover, SrtpKeys } from '@reelstream/rtp';
import { decryptSecret, encryptSecret } from '@reelstream/service';
import type { Secret } from '@reelstream/service';

/** Name of the note in a session's journal. */
const note = 'srtp';

/** Keys of the encrypted tracks of a session by track number, and where the sources of each stand. */
export type TrackKeys = Readonly<Record<number, SrtpKeys>>;

/**
 * The keys of a session's encrypted tracks, kept in its journal so that another life of this node can go on reading them:
 * encrypted under the cluster's key, since the folder outlives the call.
 */
export class SessionKeys {
  readonly #journal: Journal;
  readonly #clusterKey: Secret;
  #tracks: TrackKeys;
  /** What was written last; undefined where that has failed. */
  #written: string | undefined;

  /** Goes on from what the journal holds. Throws where that was encrypted under another cluster's key. */
  constructor(journal: Journal, clusterKey: Secret) {
    this.#journal = journal;
    this.#clusterKey = clusterKey;
    this.#tracks = readTrackKeys(journal.notes, clusterKey);
    this.#written = JSON.stringify(this.#tracks);
  }

  get tracks(): TrackKeys {
    return this.#tracks;
  }

  /** Keys agreed for these tracks; undefined for one that is not encrypted. Durable when it resolves. */
  async agreed(keys: Readonly<Record<number, SrtpKeys | undefined>>): Promise<void> {
    const merged: Record<number, SrtpKeys> = { ...this.#tracks };
    for (const [track, given] of Object.entries(keys)) {
      const before = merged[Number(track)];
      if (given) merged[Number(track)] = { ...before, ...given };
      else delete merged[Number(track)];
    }
    await this.#keep(merged);
  }

  /** Where the sources of a track stand now; durable when it resolves. */
  async stands(trackNumber: number, rollovers: readonly Rollover[]): Promise<void> {
    const keys = this.#tracks[trackNumber];
    if (keys) await this.#keep({ ...this.#tracks, [trackNumber]: { ...keys, rollovers } });
  }

  async #keep(tracks: TrackKeys): Promise<void> {
    this.#tracks = tracks;
    const text = JSON.stringify(tracks);
    if (text === this.#written) return;
    this.#written = text;
    try {
      await this.#journal.note(note, encryptSecret(this.#clusterKey, text));
    } catch (error) {
      this.#written = undefined;
      throw error;
    }
  }
}

/** The keys that a journal's notes hold. Throws where they were altered, or encrypted under another cluster's key. */
export const readTrackKeys = (notes: Readonly<Record<string, unknown>>, clusterKey: Secret): TrackKeys => {
  const kept = notes[note];

  return typeof kept === 'string' ? (JSON.parse(decryptSecret(clusterKey, kept)) as TrackKeys) : {};
};

/**
 * The keys with which a later life of the node goes on: as they were kept, but one life older, so that nothing of ours is
 * sent twice under one SRTCP index (RFC 3711 §9.1). To be handed to `agreed`, durably, before anything is sent.
 */
export const keysOfNextLife = (tracks: TrackKeys): TrackKeys =>
  Object.fromEntries(
    Object.entries(tracks).map(([track, keys]) => [track, { ...keys, life: (keys.life ?? 0) + 1 }]),
  );
