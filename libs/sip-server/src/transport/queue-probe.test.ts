import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QueueProbe } from './queue-probe.ts';

test('a queue is as long as the probe takes through it, also while it is on its way', () => {
  const probe = new QueueProbe();
  const first = probe.beat(0);
  assert.equal(probe.takes(Buffer.from(first ?? []), 0), true);
  assert.equal(probe.ms(50), 0);
  const second = probe.beat(100);
  assert.equal(probe.beat(200), undefined, 'one at a time');
  assert.equal(probe.ms(400), 300);
  assert.equal(probe.takes(Buffer.from(second ?? []), 500), true);
  assert.equal(probe.ms(550), 400);
  const third = probe.beat(600);
  assert.equal(probe.takes(Buffer.from(third ?? []), 601), true);
  assert.equal(probe.ms(650), 1);
});

test('a probe that found no room in the queue is followed by another', () => {
  const probe = new QueueProbe();
  probe.beat(0);
  const second = probe.beat(1_000);
  assert.ok(second);
  assert.equal(probe.ms(1_000), 1_000);
  assert.equal(probe.takes(Buffer.from(second), 1_010), true);
  assert.equal(probe.ms(1_010), 10);
});

test('what others send is no probe', () => {
  const probe = new QueueProbe();
  const mark = probe.beat(0) ?? Buffer.alloc(0);
  for (const length of [0, 1, 15, 16, 17])
    assert.equal(probe.takes(Buffer.alloc(length), 1), false, String(length));
  assert.equal(probe.takes(Buffer.concat([mark, Buffer.alloc(1)]), 1), false);
});
