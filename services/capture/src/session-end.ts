import type { EndReason } from '@reelstream/events';
import type { Manifest } from '@reelstream/recording';
import type { Logger } from '@reelstream/service';
import type { CaptureNode } from './capture-node.ts';
import { flagsOf, sealDescription, totalsOf, totalsOfManifest } from './core/sealing.ts';
import { endedBy, sealedBy } from './finish.ts';
import type { Ledger } from './ledger.ts';
import type { TrackFigures } from './media/types.ts';
import { persist } from './persist.ts';
import type { SessionNotes } from './session-notes.ts';

/** A session that comes to its end. */
export type Ending = {
  readonly node: CaptureNode;
  readonly sessionId: string;
  readonly log: Logger;
  readonly ledger: Ledger;
  readonly notes: SessionNotes;
  /** It began in an earlier life: what that received is told by the disk only. */
  readonly isResumed: boolean;
  readonly endReason: EndReason;
  readonly durationMs: number;
  /** What came of tracks that were closed before. */
  readonly closed: readonly TrackFigures[];
};

/**
 * Lets the sockets go and journals the end; resolves when that is durable, with the manifest where the recording had to be
 * sealed for it. What it must wait for, it repeats until it succeeds.
 */
export const journalEnd = async (ending: Ending): Promise<Manifest | undefined> => {
  const { node, sessionId, log, ledger, notes, isResumed, endReason, durationMs, closed } = ending;
  const released = await node.recorder
    .release(sessionId)
    .catch((error: unknown) => log.error({ error }, 'media could not be released'));
  node.status.free(sessionId);
  const figures = [...closed, ...(released ?? [])];
  for (const { trackNumber, handshakes } of figures)
    if (handshakes && (!handshakes.agreed || handshakes.failed + handshakes.junk > 0))
      log.warn({ trackNumber, ...handshakes }, 'handshakes that came to nothing');
  const sealed = isResumed ? await seal(ending) : undefined;
  const totals = sealed ? totalsOfManifest(sealed) : totalsOf(figures, notes.codecs);
  // Of a session that had media before, the figures of this life alone would say too much.
  const flags = sealed && totals.some(({ packets }) => packets > 0) ? [] : flagsOf(figures);
  await insist(ending, 'journalling the end', () =>
    ledger.execute(endedBy({ endReason, durationMs, totals, flags })),
  );

  return sealed;
};

/** Makes the recording's files, journals that they are there, and closes the journal. */
export const sealSession = async (ending: Ending, sealed: Manifest | undefined): Promise<void> => {
  const manifest = sealed ?? (await seal(ending));
  await insist(ending, 'journalling the seal', () => ending.ledger.execute(sealedBy(manifest), { manifest }));
  await ending.ledger.close();
  ending.node.sessions.delete(ending.sessionId);
};

const seal = (ending: Ending): Promise<Manifest> => {
  const { node, sessionId, ledger, notes } = ending;
  if (!ledger.record) throw new Error('a session that never started can not be sealed');
  const description = sealDescription(ledger.record, notes.codecs);

  return insist(ending, 'sealing', () => node.recorder.seal(sessionId, description));
};

const insist = <T>({ node, log }: Ending, what: string, action: () => Promise<T>): Promise<T> =>
  persist(action, { what, closing: node.closing, log });
