import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Reorder } from './reorder.ts';

const through = (numbers: readonly number[]) => {
  const reorder = new Reorder<number>();
  const out = numbers.flatMap((n) => reorder.push({ sequenceNumber: n & 0xffff, payload: n }));
  out.push(...reorder.finish());

  return { order: out.map(({ payload }) => payload), breaks: breaksOf(out), repeats: reorder.repeats };
};

const breaksOf = (out: readonly { readonly payload: number; readonly follows: boolean }[]) =>
  out.filter(({ follows }) => !follows).map(({ payload }) => payload);

const upTo = (count: number, from = 0): number[] => Array.from({ length: count }, (_, i) => from + i);

test('order is restored over the wrap of the sequence, from the first packet on', () => {
  const { order, breaks } = through([65_531, 65_530, 65_532, 65_534, 65_533, 65_535, 65_537, 65_536]);

  assert.deepEqual(order, upTo(8, 65_530));
  assert.deepEqual(breaks, [65_530]);
});

test('a repeat is dropped, however late', () => {
  const { order, repeats } = through([...upTo(100), 50, 99, ...upTo(10, 100)]);

  assert.deepEqual(order, upTo(110));
  assert.equal(repeats, 2);
});

test('loss is told at the packet behind it', () => {
  const { order, breaks } = through([...upTo(10), ...upTo(90, 15)]);

  assert.deepEqual(order, [...upTo(10), ...upTo(90, 15)]);
  assert.deepEqual(breaks, [0, 15]);
});

test('a sequence that starts anew far off goes on there', () => {
  const { order } = through([...upTo(50), ...upTo(50, 20_000)]);

  assert.deepEqual(order, [...upTo(50), ...upTo(50, 20_000)]);
});
