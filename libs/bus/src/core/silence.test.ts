import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Heartbeat } from '@reelstream/events';
import { busLost, echoHeard, heartbeatHeard, initialSilence, takeLost, watchedNodes } from './silence.ts';
import type { Silence } from './silence.ts';

const beat = (nodeId: string, epoch = 1): Heartbeat => ({
  nodeId,
  role: 'capture',
  epoch,
  pid: 1,
  host: 'host',
  address: '127.0.0.1',
  advertise: [],
  state: 'ready',
  load: 0,
  reserved: 0,
  capacity: 400,
});

/** Echoes every 250 ms from `from` to `to`. */
const echoes = (silence: Silence, from: number, to: number): Silence => {
  let state = silence;
  for (let now = from; now <= to; now += 250) state = echoHeard(state, now);

  return state;
};

const spoken = (silence: Silence, heartbeat: Heartbeat, now: number): Silence => {
  heartbeatHeard(silence, heartbeat, now);

  return silence;
};

/** After what it lost has been told. */
const looked = (silence: Silence): Silence => {
  takeLost(silence);

  return silence;
};

const lostIds = (silence: Silence): string[] => takeLost(silence).map((node) => node.heartbeat.nodeId);

test('a node is lost after three seconds of silence, and told once', () => {
  const heard = spoken(echoes(initialSilence(), 0, 1_000), beat('a'), 1_000);

  assert.deepEqual(lostIds(echoes(heard, 1_250, 3_750)), []);
  const silent = echoes(heard, 1_250, 4_000);
  assert.deepEqual(
    takeLost(silent).map((node) => [node.heartbeat.nodeId, node.silentMs]),
    [['a', 3_000]],
  );
  assert.deepEqual(lostIds(echoes(silent, 4_250, 9_000)), []);
  assert.equal(watchedNodes(silent)[0]?.alive, false);
});

test('a node that speaks again is alive, and can be lost again', () => {
  const lost = looked(echoes(spoken(echoHeard(initialSilence(), 0), beat('a'), 0), 250, 3_000));
  const back = spoken(lost, beat('a', 2), 3_100);

  assert.equal(watchedNodes(back)[0]?.alive, true);
  assert.deepEqual(lostIds(echoes(back, 3_250, 6_250)), ['a']);
});

test('silence of the bus is not silence of a node: the three seconds begin anew', () => {
  const heard = spoken(echoes(initialSilence(), 0, 1_000), beat('a'), 1_000);
  const returned = echoHeard(heard, 9_000);

  assert.equal(watchedNodes(returned)[0]?.silentMs, 0);
  assert.deepEqual(lostIds(echoes(returned, 9_250, 11_750)), []);
  assert.deepEqual(lostIds(echoes(returned, 9_250, 12_000)), ['a']);
});

test('a connection that broke shortly also makes the three seconds begin anew', () => {
  const heard = spoken(echoes(initialSilence(), 0, 1_000), beat('a'), 1_000);
  const returned = echoHeard(busLost(echoes(heard, 1_250, 3_500)), 4_000);

  assert.deepEqual(lostIds(echoes(returned, 4_250, 6_750)), []);
  assert.deepEqual(lostIds(echoes(returned, 4_250, 7_000)), ['a']);
});

test('a node that was lost stays lost while the bus goes and comes', () => {
  const lost = looked(echoes(spoken(echoHeard(initialSilence(), 0), beat('a'), 0), 250, 3_000));

  assert.equal(watchedNodes(busLost(lost))[0]?.alive, false);
  assert.equal(watchedNodes(echoHeard(busLost(lost), 60_000))[0]?.alive, false);
});

test('while our own probe does not come back nobody is lost, however late it is', () => {
  const heard = spoken(echoHeard(initialSilence(), 0), beat('a'), 0);

  assert.deepEqual(lostIds(heard), []);
  assert.equal(watchedNodes(heard)[0]?.alive, true);
});

test('an older life of a living node changes nothing', () => {
  const heard = spoken(echoHeard(initialSilence(), 0), beat('a', 5), 0);

  assert.equal(heartbeatHeard(heard, beat('a', 4), 500), false);
  assert.equal(watchedNodes(heard)[0]?.heartbeat.epoch, 5);
  assert.equal(heartbeatHeard(heard, beat('a', 6), 500), true);
});

test('a node silent for a day is forgotten', () => {
  const heard = spoken(echoHeard(initialSilence(), 0), beat('a'), 0);
  const lost = looked(echoes(heard, 250, 3_000));

  assert.deepEqual(watchedNodes(looked(echoHeard(lost, 86_400_000))), []);
});
