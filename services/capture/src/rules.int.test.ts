import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { audioOnlyParameter } from '@reelstream/domain';
import { Caller } from '@reelstream/testing/callers';
import { Box } from './test-support/box.ts';
import { plain, portsOf, siprec } from './test-support/offers.ts';

let box: Box;
let sequence = 0;
before(async () => {
  box = await Box.open({ capacity: 40 });
});
after(() => box[Symbol.asyncDispose]());

const head = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'];
const audio = ['m=audio 4000 RTP/AVP 0', 'a=sendonly'];
const video = ['m=video 4002 RTP/AVP 97', 'a=rtpmap:97 H264/90000', 'a=sendonly'];
const offer = (...lines: readonly string[]) => plain(`${[...head, ...lines].join('\r\n')}\r\n`);

/** Whether each m-line of an answer was taken. */
const taken = (sdp: string): boolean[] => portsOf(sdp).map((port) => port > 0);

test('a direct call that is to be recorded without video is answered so, also when video comes later', async () => {
  using caller = await Caller.open(box.target, undefined, `;${audioOnlyParameter}`);
  const answer = await caller.invite(offer(...audio, ...video));
  assert.deepEqual([answer.status, taken(answer.body)], [200, [true, false]]);
  caller.ack();
  const later = await caller.invite(offer(...audio, ...video));
  assert.deepEqual(taken(later.body), [true, false]);
  caller.ack();
  await caller.bye();
  using other = await Caller.open(box.target);
  const both = await other.invite(offer(...audio, ...video));
  assert.deepEqual(taken(both.body), [true, true]);
  other.ack();
  await other.bye();
});

test('a recording client is recorded whole, whatever its request URI says', async () => {
  using caller = await Caller.open(box.target, undefined, `;${audioOnlyParameter}`);
  const answer = await caller.invite(siprec());
  assert.deepEqual(taken(answer.body), [true, true]);
  caller.ack();
  await caller.bye();
});

const drain = async (isDrained: boolean): Promise<void> => {
  sequence += 1;
  const value = isDrained ? { nodeId: 'capture-1', since: '2026-11-23T07:00:00.000Z' } : null;
  const bucket = await box.bus.kv('drains');
  await bucket.put('capture-1', { server: 'primary', generation: 1, sequence, value });
};

test('a drained node takes no new calls, lets the running one finish, and stays drained over its restart', async () => {
  using running = await Caller.open(box.target);
  const answer = await running.invite(offer(...audio));
  assert.equal(answer.status, 200);
  running.ack();
  await drain(true);
  await box.heartbeat(({ state }) => state === 'draining');
  using refused = await Caller.open(box.target);
  const refusal = await refused.invite(offer(...audio));
  assert.equal(refusal.status, 503);
  using asking = await Caller.open(box.target);
  assert.equal((await asking.request('OPTIONS')).status, 503);
  assert.equal((await running.bye()).status, 200);
  await box.sessionOf(running.callId);

  await box.endCapture('SIGTERM');
  await box.startCapture('draining');
  await drain(false);
  await box.heartbeat(({ state }) => state === 'ready');
});
