import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Caller } from '@reelstream/testing/callers';
import { Box } from './test-support/box.ts';
import { SpokenCall } from './test-support/spoken-call.ts';
import { siprec } from './test-support/offers.ts';

/** Calls of two streams each until one is not taken; returns how many were, and the answer to that one. */
const fill = async (box: Box, stack: AsyncDisposableStack) => {
  for (let taken = 0; ; taken++) {
    const caller = stack.use(await Caller.open(box.target));
    const answer = await caller.invite(siprec());
    if (answer.status !== 200) return { taken, answer };
    caller.ack();
  }
};

describe('a node that can not hold what is configured', () => {
  for (const { name, limitedBy, options } of [
    { name: 'for want of descriptors', limitedBy: 'descriptors', options: { openFiles: 160 } },
    {
      name: 'for want of ports',
      limitedBy: 'ports',
      options: { settings: { REEL_RTP_PORTS: '19500-19519' } },
    },
  ] as const) {
    let box: Box;
    after(() => box[Symbol.asyncDispose]());

    test(`${name} says so, records as many as it says, and refuses the call beyond with 503`, async () => {
      box = await Box.open({ capacity: 400, ...options });
      const { capacity, ...said } = await box.heartbeat(() => true);
      assert.equal(said.limitedBy, limitedBy);
      assert.equal(capacity, 10);
      await using stack = new AsyncDisposableStack();
      const call = stack.use(await SpokenCall.open(box));
      const { taken, answer } = await fill(box, stack);
      assert.deepEqual([taken + 1, answer.status], [5, 503]);
      assert.match(answer.text, /^Retry-After: 1\r$/im);
      await call.stop();
      await call.caller.bye();
      const { subject, data } = await box.endOf(call.caller.callId);
      assert.deepEqual([data.state, data.endReason], ['CLOSED_NORMAL', 'bye']);
      assert.deepEqual(await box.packets(subject, 0), call.voice.sent);
    });
  }
});
