import { rm } from 'node:fs/promises';
import { AttemptFailed } from '@reelstream/events';
import { openJournal, readJournal } from '@reelstream/recording';
import type { Manifest } from '@reelstream/recording';
import type { SessionRecord } from '@reelstream/domain';
import { Compile } from 'typebox/compile';
import { folderOf } from './capture-node.ts';
import type { CaptureNode } from './capture-node.ts';
import { sealDescription, totalsOfManifest } from './core/sealing.ts';
import type { NegotiatedCodecs } from './core/sealing.ts';
import { sealedBy } from './finish.ts';
import { Ledger, sessionEvents } from './ledger.ts';

/**
 * The story of a start: what earlier lives of this node left unreleased goes on its way to the stream, and what they
 * left open is ended and sealed from what the disk holds. `sessionIds` are those of before this life. Never rejects;
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
      await finish(ledger, found?.ok ? found.manifest : undefined);
    } catch (error) {
      node.log.error(
        { sessionId: ledger.record?.sessionId, error },
        'session of an earlier life left unfinished',
      );
    }
  }
};

const describe = (ledger: Ledger, record: SessionRecord) =>
  sealDescription(record, (ledger.journal.notes['codecs'] ?? {}) as NegotiatedCodecs);

const finish = async (ledger: Ledger, manifest: Manifest | undefined): Promise<void> => {
  const totals = manifest ? totalsOfManifest(manifest) : [];
  const durationMs = Math.round(manifest?.durationMs ?? 0);
  await ledger.execute((stamp) => ({ type: 'end', stamp, endReason: 'interrupted', durationMs, totals }));
  if (manifest) await ledger.execute(sealedBy(manifest));
  await ledger.close();
};
