import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differingRetention } from './differing-retention.ts';

const policy = { mode: 'age', days: 30, metadataDays: 0 } as const;

test('nodes with other settings of retention are named, whatever differs', () => {
  const nodes = [
    { nodeId: 'metadata-2', retention: { ...policy, days: 31 } },
    { nodeId: 'metadata-1', retention: policy },
    { nodeId: 'metadata-3', retention: { ...policy, metadataDays: 1 } },
    { nodeId: 'capture-1', retention: { mode: 'age' } },
    { nodeId: 'capture-2', retention: { mode: 'never' } },
    { nodeId: 'pilot-1' },
  ] as const;
  assert.deepEqual(
    differingRetention(policy, nodes).map(({ nodeId }) => nodeId),
    ['capture-2', 'metadata-2', 'metadata-3'],
  );
});
