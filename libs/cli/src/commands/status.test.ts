import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retentionLine, rowOf } from './status.ts';

test('a node that holds less than is configured says for want of what', () => {
  const node = { nodeId: 'capture-1', role: 'capture', state: 'ready', load: 2, capacity: 42 };
  assert.equal(rowOf(node)[4], '2/42');
  assert.equal(rowOf({ ...node, limitedBy: 'descriptors' })[4], '2/42 (descriptors)');
});

test('retention says by what it prunes, and what is due, held and done', () => {
  const retention = { days: 30, due: 3, held: 1, pruned: 12 };
  assert.deepEqual(retentionLine({ retention: { mode: 'age', ...retention } }), [
    'Retention age (30 days): 12 pruned, 3 due, 1 on legal hold',
  ]);
  assert.deepEqual(retentionLine({ retention: { mode: 'space', ...retention } }), [
    'Retention space: 12 pruned, 3 due, 1 on legal hold',
  ]);
  const other = { nodeId: 'metadata-2', retention: { mode: 'never', days: 30, metadataDays: 0 } };
  assert.deepEqual(
    retentionLine({ retention: { mode: 'space', ...retention, differing: [other] } }).slice(1),
    ['Retention differs at metadata-2: never, days 30, metadataDays 0'],
  );
  assert.deepEqual(retentionLine({}), []);
});
