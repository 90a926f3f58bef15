import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capacityOf } from './capacity.ts';
import type { Means } from './capacity.ts';

const plenty: Means = {
  descriptors: 1_000_000,
  portPairs: 8_192,
  memoryBytes: 2 ** 35,
  socketBufferBytes: 2 ** 33,
};
const needs = { socketBufferBytes: 180_000 };
const holding = (means: Partial<Means>) => capacityOf(400, { ...plenty, ...means }, needs);

test('a node that has plenty of everything holds what is configured', () => {
  assert.deepEqual(holding({}), { streams: 400, limitedBy: undefined });
});

test('what limits nothing does not count', () => {
  const means = { descriptors: undefined, memoryBytes: undefined, socketBufferBytes: undefined };
  assert.deepEqual(holding(means), { streams: 400, limitedBy: undefined });
});

test('the scarcest of its means says what a node holds', () => {
  assert.deepEqual(holding({ descriptors: 256 }), { streams: 42, limitedBy: 'descriptors' });
  assert.deepEqual(holding({ portPairs: 10 }), { streams: 10, limitedBy: 'ports' });
  assert.deepEqual(holding({ memoryBytes: 400 * 2 ** 20 }), { streams: 78, limitedBy: 'memory' });
  assert.deepEqual(holding({ socketBufferBytes: 1_800_000 }), { streams: 10, limitedBy: 'socket-buffers' });
  assert.deepEqual(holding({ descriptors: 256, portPairs: 10 }), { streams: 10, limitedBy: 'ports' });
});

test('a node that has not even enough for itself holds nothing', () => {
  assert.deepEqual(holding({ descriptors: 64 }), { streams: 0, limitedBy: 'descriptors' });
  assert.deepEqual(holding({ memoryBytes: 2 ** 20 }), { streams: 0, limitedBy: 'memory' });
});
