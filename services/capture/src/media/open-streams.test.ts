import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpenStreams } from './open-streams.ts';
import type { OpenStream } from './open-streams.ts';

type Named = OpenStream & { readonly name: string };

const named = (streams: OpenStreams<Named>, name: string, sessionId: string): Named => {
  const stream = { name, sessionId, slot: streams.claim(), logStream: undefined };
  streams.set(stream);

  return stream;
};

const names = (streams: readonly Named[]): readonly string[] => streams.map(({ name }) => name).toSorted();

test('streams are found by slot and by session, and a slot that is free is given again', () => {
  const streams = new OpenStreams<Named>();
  const [a, b, c] = [named(streams, 'a', 's1'), named(streams, 'b', 's1'), named(streams, 'c', 's2')];
  assert.deepEqual([a.slot, b.slot, c.slot, streams.size], [0, 1, 2, 3]);
  assert.deepEqual(names(streams.of('s1')), ['a', 'b']);
  streams.remove(b);
  assert.deepEqual([names(streams.of('s1')), streams.get(1)], [['a'], undefined]);
  assert.equal(named(streams, 'd', 's1').slot, 3, 'the sockets of slot 1 are not closed yet');
  streams.free(1);
  streams.free(0);
  assert.deepEqual([names(streams.all()), streams.size], [['c', 'd'], 2]);
  const again = [named(streams, 'e', 's3').slot, named(streams, 'f', 's3').slot];
  assert.deepEqual(new Set(again), new Set([0, 1]));
});

test('another stream in a slot takes the place of the one before, in its session too', () => {
  const streams = new OpenStreams<Named>();
  const a = named(streams, 'a', 's1');
  streams.set({ ...a, name: 'b', sessionId: 's2' });
  assert.deepEqual(
    [names(streams.of('s1')), names(streams.of('s2')), streams.get(0)?.name],
    [[], ['b'], 'b'],
  );
});

test('a stream is due once it is new, and then when it said', () => {
  const streams = new OpenStreams<Named>();
  for (let i = 0; i < 200; i++) named(streams, `${i}`, `s${i}`);
  const dueAt = (nowNs: number): number => {
    let count = 0;
    streams.forEachDue(nowNs, ({ slot }) => {
      count++;
      streams.lookAt(slot, slot * 1e9);
    });

    return count;
  };
  assert.equal(dueAt(1), 200);
  assert.equal(dueAt(9.5e9), 10);
  streams.lookAt(150, 0);
  assert.equal(dueAt(0.5e9), 2);
});
