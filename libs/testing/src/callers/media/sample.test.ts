import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleConversation } from './sample.ts';

test('two people talk for some twelve seconds, in whole packets, never both at once', () => {
  const { agent, customer, sampleRate } = sampleConversation();
  const seconds = agent.length / sampleRate;

  assert.ok(seconds > 10 && seconds < 15);
  assert.equal(agent.length, customer.length);
  assert.equal(agent.length % 160, 0);
  assert.ok(agent.every((sample, i) => sample === 0 || customer[i] === 0));
  for (const voice of [agent, customer]) {
    assert.ok(voice.some((sample) => Math.abs(sample) > 10_000));
  }
});
