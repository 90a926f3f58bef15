import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from '@reelstream/store';
import { waitFor } from '@reelstream/testing';
import { startArchive } from '../support/archive.ts';
import type { Archive } from '../support/archive.ts';
import { namesOf, recordCalls, released } from './recorded.ts';
import { sayOfEveryKind, saySomething } from './said.ts';

const drain = async (archive: Archive, how: 'drain' | 'undrain'): Promise<void> => {
  const response = await archive.api(`/nodes/capture-1/${how}`, { method: 'POST', body: {} });
  assert.ok(response.ok, String(response.status));
};

test('of a stream that was put back to an older store, twice, nothing is named once it was repaired', async () => {
  await using archive = await startArchive('27400-27498');
  await sayOfEveryKind(archive, await recordCalls(archive, 1));
  await released(archive);
  for (let round = 0; round < 2; round += 1) {
    const snapshot = await archive.nats.snapshot();
    for (let said = 0; said < 3; said += 1) await saySomething(archive);
    await drain(archive, 'drain');
    await drain(archive, 'undrain');
    await archive.nats.restore(snapshot);
    await saySomething(archive);
    // What only the database had is said again in the background.
    let named: readonly string[] = [];
    await waitFor(
      async () => {
        named = namesOf((await archive.reel('reconcile', '--json')).stdout);

        return named.length === 0 || undefined;
      },
      { deadlineMs: 30_000, describe: () => `not repaired: ${named.join('; ')}` },
    );
  }
  const { rows } = await sql<{ generations: number }>`
    select count(distinct generation) as generations from event`.execute(archive.store.db);
  assert.deepEqual(rows, [{ generations: 3 }]);
});
