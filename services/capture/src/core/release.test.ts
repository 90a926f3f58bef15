import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  acknowledged,
  emptyProgress,
  isReleased,
  journalledThrough,
  nextVersion,
  republishFrom,
  sayAgain,
  withoutLost,
} from './release.ts';
import type { Heard, Positions, Progress } from './release.ts';

const heard = (server: string, sequence: number, rest: Partial<Heard> = {}): Heard => ({
  server,
  sequence,
  generation: 1,
  base: 0,
  behind: 0,
  tick: 10,
  ...rest,
});

const positions = (...all: Heard[]): Positions => new Map(all.map((position) => [position.server, position]));

const known = new Map([
  ['primary', 1],
  ['secondary', 1],
]);

const stored = (
  progress: Progress,
  version: number,
  sequence: number,
  generations: ReadonlyMap<string, number>,
) => acknowledged(progress, version, { sequence, generations, tick: 5 });

const twoOut = stored(stored(journalledThrough(emptyProgress, 2, true), 1, 100, known), 2, 101, known);

describe('a journal goes out in order', () => {
  test('the first version without an ack is next, and nothing once all have one', () => {
    const progress = journalledThrough(emptyProgress, 2);
    assert.equal(nextVersion(emptyProgress), undefined);
    assert.equal(nextVersion(progress), 1);
    assert.equal(nextVersion(stored(progress, 1, 100, known)), 2);
    assert.equal(nextVersion(twoOut), undefined);
  });

  test('a republish begins again where it is asked to', () => {
    assert.equal(nextVersion(republishFrom(twoOut, 2)), 2);
    assert.equal(nextVersion(republishFrom(twoOut, 1)), 1);
    assert.equal(republishFrom(twoOut, 2).told, 2);
  });

  test('only the versions that are wanted again lose their acks', () => {
    const again = sayAgain(stored(journalledThrough(twoOut, 3), 3, 102, known), [2]);
    assert.equal(nextVersion(again), 2);
    assert.equal(nextVersion(stored(again, 2, 103, known)), undefined);
    assert.equal(again.told, 3);
  });
});

describe('a session is released', () => {
  test('once both servers have committed past its last event', () => {
    const servers = ['primary', 'secondary'];
    assert.equal(isReleased(twoOut, servers, positions(heard('primary', 101))), false);
    assert.equal(
      isReleased(twoOut, servers, positions(heard('primary', 101), heard('secondary', 100))),
      false,
    );
    assert.equal(
      isReleased(twoOut, servers, positions(heard('primary', 101), heard('secondary', 101))),
      true,
    );
  });

  test('not while something of it still has to go', () => {
    assert.equal(
      isReleased(journalledThrough(twoOut, 3), ['primary'], positions(heard('primary', 500))),
      false,
    );
  });

  test('not while it runs, for more is to come', () => {
    const running = stored(journalledThrough(emptyProgress, 1), 1, 100, known);
    assert.equal(isReleased(running, ['primary'], positions(heard('primary', 500))), false);
  });

  test('not by what a server said before the event was stored', () => {
    assert.equal(isReleased(twoOut, ['primary'], positions(heard('primary', 500, { tick: 5 }))), false);
  });
});

describe('when a server begins a new generation', () => {
  test('events past its base are appended again, those before it are kept', () => {
    const rewound = heard('primary', 100, { generation: 2, base: 100 });
    assert.equal(nextVersion(withoutLost(twoOut, rewound)), 2);
    assert.equal(isReleased(twoOut, ['primary'], positions({ ...rewound, sequence: 900 })), false);
  });

  test('events it holds stay acknowledged and are released by its position', () => {
    const rewound = heard('primary', 150, { generation: 2, base: 120 });
    assert.equal(withoutLost(twoOut, rewound), twoOut);
    assert.equal(isReleased(twoOut, ['primary'], positions(rewound)), true);
  });

  test('what was stored when we had not heard of that server, or two generations ago, is appended again', () => {
    const early = stored(journalledThrough(emptyProgress, 1), 1, 7, new Map());
    assert.equal(nextVersion(withoutLost(early, heard('primary', 9, { generation: 2 }))), 1);
    assert.equal(nextVersion(withoutLost(early, heard('primary', 9))), undefined);
    assert.equal(nextVersion(withoutLost(twoOut, heard('primary', 500, { generation: 3, base: 400 }))), 1);
  });
});
