import { rm } from 'node:fs/promises';
import { AttemptFailed } from '@reelstream/events';
import type { EndReason } from '@reelstream/events';
import { openJournal, readJournal } from '@reelstream/recording';
import type { Manifest } from '@reelstream/recording';
import type { SessionRecord } from '@reelstream/domain';
import { Compile } from 'typebox/compile';
import { folderOf } from './capture-node.ts';
import type { CaptureNode } from './capture-node.ts';
import { sealDescription, totalsOfManifest } from './core/sealing.ts';
import { endedBy, sealedBy } from './finish.ts';
import { Ledger, sessionEvents } from './ledger.ts';
import { readCodecs, readDialogs } from './session-notes.ts';

/**
 * The story of what a start has not resumed: what earlier lives of this node left unreleased goes on its way to the stream,
 * and what they left open is ended and sealed from what the disk holds. `sessionIds` are those of before this life. Never rejects;
 * what can't be finished now stays for the next start.
 */
export const recover = async (node: CaptureNode, sessionIds: readonly string[]): Promise<void> => {
  const open: Ledger[] = [];
  for (const sessionId of sessionIds) {
    try {
      const ledger = await reopen(node, sessionId);
      if (ledger) open.push(ledger);
    } catch (error) {
      node.log.error({ sessionId, error }, 'journal of an earlier life could not be read');
    }
  }
  await finishAll(node, open);
};

const isAttempt = Compile(AttemptFailed);

/** Hands the journal to the outbox; returns it if the session is not sealed yet. */
const reopen = async (node: CaptureNode, sessionId: string): Promise<Ledger | undefined> => {
  const folder = folderOf(node, sessionId);
  const contents = await readJournal(folder);
  const events = sessionEvents(contents.events);
  const last = events.at(-1);
  if (!last && contents.events.length === 0 && contents.damage.length === 0) {
    // It had its folder, but neither its start nor its 200: nobody knows of it, but whoever had it dialled.
    const { attempt } = contents.notes;
    if (isAttempt.Check(attempt)) node.events.say('attempt.failed', attempt);
    await rm(folder, { recursive: true, force: true });
    await node.outboxIndex.remove(sessionId);

    return undefined;
  }
  if (!last) throw new Error(`the journal in ${folder} holds no event that can be read`);
  const isSealed = events.some(({ type }) => type === 'recording.sealed');
  node.outbox.journalled(sessionId, last.version, isSealed);
  if (isSealed) return undefined;

  return new Ledger(await openJournal(folder), node.writer, ({ type, version }) => {
    node.log.info({ sessionId, version }, type);
    node.outbox.journalled(sessionId, version, type === 'recording.sealed');
  });
};

const finishAll = async (node: CaptureNode, ledgers: readonly Ledger[]): Promise<void> => {
  const sessions = ledgers.flatMap((ledger) =>
    ledger.record
      ? [{ sessionId: ledger.record.sessionId, description: describe(ledger, ledger.record) }]
      : [],
  );
  const recovered = await node.recorder.recover(sessions).catch((error: unknown) => {
    node.log.error({ error }, 'segments of earlier lives could not be read');

    return [];
  });
  for (const ledger of ledgers) {
    const found = recovered.find(({ sessionId }) => sessionId === ledger.record?.sessionId);
    if (found && !found.ok) node.log.error({ ...found }, 'media of an earlier life could not be sealed');
    try {
      await finish(node, ledger, found?.ok ? found.manifest : undefined);
    } catch (error) {
      node.log.error(
        { sessionId: ledger.record?.sessionId, error },
        'session of an earlier life left unfinished',
      );
    }
  }
};

const describe = (ledger: Ledger, record: SessionRecord) =>
  sealDescription(record, readCodecs(ledger.journal.notes));

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
  await ledger.execute(endedBy({ endReason, durationMs, totals }));
  if (manifest) await ledger.execute(sealedBy(manifest), { manifest });
  await ledger.close();
};
