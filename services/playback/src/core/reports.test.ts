import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shiftsOf } from './reports.ts';
import type { TrackReports } from './reports.ts';

/** A track of one segment at 8 kHz that begins at `originS`, with a report each 5 s of a wall clock at 1,000 s there. */
const track = (originS: number, name: string | undefined, ntpS = (seconds: number) => 1_000 + seconds) => {
  const said: TrackReports = {
    reports: [0, 5, 10].map((seconds) => ({ segment: 0, ticks: seconds * 8_000, ntpS: ntpS(seconds) })),
    names: new Map(name === undefined ? [] : [[0, name]]),
  };

  return { clocks: [{ originS, secondsPerTick: 1 / 8_000, clockRate: 8_000, drift: 0 }], said };
};

const shifts = (...tracks: readonly ReturnType<typeof track>[]): readonly number[] =>
  shiftsOf(tracks).map((shift) => Number((shift.get(0) ?? 0).toFixed(6)));

test('what one sender sent is aligned by its own clock: the later moves to the earlier', () => {
  assert.deepEqual(shifts(track(0.5, 'a'), track(0.56, 'a'), track(0.9, 'b')), [0, 0.06, 0]);
});

test('no name, one report, or a clock that is far off: nothing is moved', () => {
  assert.deepEqual(shifts(track(0.5, undefined), track(0.56, undefined)), [0, 0]);
  assert.deepEqual(shifts(track(0.5, 'a'), track(7, 'a')), [0, 0]);
  const once = track(0.56, 'a');
  const said = { ...once.said, reports: once.said.reports.slice(0, 1) };
  assert.deepEqual(shifts(track(0.5, 'a'), { ...once, said }), [0, 0]);
});

test('reports that contradict the RTP clock, or say nothing, are nonsense', () => {
  const set = track(0.56, 'a', (seconds) => 1_000 + seconds + (seconds > 5 ? 5 : 0));

  assert.deepEqual(shifts(track(0.5, 'a'), set), [0, 0]);
  assert.deepEqual(
    shifts(
      track(0.5, 'a'),
      track(0.56, 'a', () => 0),
    ),
    [0, 0],
  );
});
