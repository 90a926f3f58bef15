import { rm } from 'node:fs/promises';
import { AttemptFailed } from '@reelstream/events';
import type { EndReason } from '@reelstream/events';
import { openJournal, readJournal } from '@reelstream/recording';
import type { JournalContents, Manifest } from '@reelstream/recording';
import { Compile } from 'typebox/compile';
import { folderOf } from './capture-node.ts';
import type { CaptureNode } from './capture-node.ts';
import { sealDescription, totalsOfManifest } from './core/sealing.ts';
import { toldOf } from './core/told-of.ts';
import { askStream, isDamaged, putRight, recordOf } from './damaged-journal.ts';
import type { DamagedSession } from './damaged-journal.ts';
import { endedBy, sealedBy } from './finish.ts';
import { Ledger, sessionEvents } from './ledger.ts';
import type { SealDescription } from './media/types.ts';
import { readCodecs, readDialogs } from './session-notes.ts';

/**
 * The story of what a start has not resumed: what earlier lives of this node left unreleased goes on its way to the stream,
 * and what they left open is ended and sealed from what the disk holds. `sessionIds` are those of before this life. Never rejects;
 * what can't be finished now stays for the next start.
 */
export const recover = async (node: CaptureNode, sessionIds: readonly string[]): Promise<void> => {
  const left: Left[] = [];
  const damaged: Omit<DamagedSession, 'streamed'>[] = [];
  for (const sessionId of sessionIds) {
    try {
      const contents = await readJournal(folderOf(node, sessionId));
      if (isUnanswered(contents)) await drop(node, sessionId, contents);
      else if (isDamaged(contents)) damaged.push({ sessionId, contents });
      else left.push(...wholeOne(node, await reopen(node, sessionId, contents)));
    } catch (error) {
      node.log.error({ sessionId, error }, 'journal of an earlier life could not be read');
    }
  }
  const asked = damaged.map((one) => askStream(node, one));
  await finishAll(node, [...left, ...(await Promise.all(asked)).map((one) => damagedOne(node, one))]);
};

/** A session that isn't sealed, or whose journal has to be put right first. */
type Left = {
  readonly sessionId: string;
  /** What is to be sealed of it; undefined where that was done. */
  readonly description: SealDescription | undefined;
  readonly finish: (manifest: Manifest | undefined) => Promise<void>;
};

const isAttempt = Compile(AttemptFailed);

/** A call that we placed, and that nobody had answered. */
const isUnanswered = ({ events, notes, tail }: JournalContents): boolean =>
  events.length === 0 && notes['dialogs'] === undefined && !tail && isAttempt.Check(notes['attempt']);

/** It had its folder, but neither its start nor its 200: nobody knows of it, but whoever had it dialled. */
const drop = async (
  node: CaptureNode,
  sessionId: string,
  { notes: { attempt } }: Pick<JournalContents, 'notes'>,
): Promise<void> => {
  if (isAttempt.Check(attempt)) node.events.say('attempt.failed', attempt);
  await rm(folderOf(node, sessionId), { recursive: true, force: true });
  await node.outboxIndex.remove(sessionId);
};

const wholeOne = (node: CaptureNode, ledger: Ledger | undefined): readonly Left[] => {
  const record = ledger?.record;
  if (!ledger || !record) return [];
  const description = sealDescription(record, readCodecs(ledger.journal.notes));

  return [{ sessionId: record.sessionId, description, finish: (manifest) => finish(node, ledger, manifest) }];
};

const damagedOne = (node: CaptureNode, damaged: DamagedSession): Left => {
  const { sessionId, contents } = damaged;
  const record = recordOf(node, damaged);

  return {
    sessionId,
    description: record.recording ? undefined : sealDescription(record, readCodecs(contents.notes)),
    finish: async (manifest) => {
      switch (await putRight(node, damaged, manifest)) {
        case 'never-begun':
          return drop(node, sessionId, contents);
        case 'set-aside':
          return;
        case 'right': {
          const mended = await readJournal(folderOf(node, sessionId));
          const ledger = await reopen(node, sessionId, mended);
          if (ledger) await finish(node, ledger, manifest);
        }
      }
    },
  };
};

/** Hands the journal to the outbox; returns it if the session is not sealed yet. */
const reopen = async (
  node: CaptureNode,
  sessionId: string,
  contents: JournalContents,
): Promise<Ledger | undefined> => {
  const folder = folderOf(node, sessionId);
  const events = sessionEvents(contents.events);
  const last = events.at(-1);
  if (!last) throw new Error(`the journal in ${folder} holds no event that this version knows`);
  const isSealed = events.some(({ type }) => type === 'recording.sealed');
  node.outbox.journalled(sessionId, last.version, isSealed);
  if (isSealed) return undefined;

  return new Ledger(await openJournal(folder), node.writer, (event) => {
    const { type, version } = event;
    node.log.info({ sessionId, version, ...toldOf(event) }, type);
    node.outbox.journalled(sessionId, version, type === 'recording.sealed');
  });
};

const finishAll = async (node: CaptureNode, left: readonly Left[]): Promise<void> => {
  const sessions = left.flatMap(({ sessionId, description }) =>
    description ? [{ sessionId, description }] : [],
  );
  const recovered = await node.recorder.recover(sessions).catch((error: unknown) => {
    node.log.error({ error }, 'segments of earlier lives could not be read');

    return [];
  });
  // At once: one whose journal is damaged may wait for the stream.
  await Promise.all(
    left.map(async ({ sessionId, finish: finishOne }) => {
      const found = recovered.find((one) => one.sessionId === sessionId);
      if (found && !found.ok) node.log.error({ ...found }, 'media of an earlier life could not be sealed');
      try {
        await finishOne(found?.ok ? found.manifest : undefined);
      } catch (error) {
        node.log.error({ sessionId, error }, 'session of an earlier life left unfinished');
      }
    }),
  );
};

/** Its last dialog had ended in time, and only that could not be journalled; or it was cut off. */
const reasonOf = (node: CaptureNode, { notes }: Ledger['journal']): EndReason => {
  try {
    const { legs, lastReason } = readDialogs(notes, node.config.clusterKey);

    return legs.length === 0 ? lastReason : 'interrupted';
  } catch {
    return 'interrupted';
  }
};

const finish = async (node: CaptureNode, ledger: Ledger, manifest: Manifest | undefined): Promise<void> => {
  const totals = manifest ? totalsOfManifest(manifest) : [];
  const durationMs = Math.round(manifest?.durationMs ?? 0);
  const endReason = reasonOf(node, ledger.journal);
  try {
    await ledger.execute(endedBy({ endReason, durationMs, totals }));
    if (manifest) await ledger.execute(sealedBy(manifest), { manifest });
  } finally {
    await ledger.close();
  }
};
