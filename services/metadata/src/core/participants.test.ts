import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evolveSession } from '@reelstream/domain';
import { storyOf } from '../test-support/story.ts';
import { participantKey, participantKeys } from './participants.ts';

test('a participant is found by address, number, name, device and call leg, in any case', () => {
  const { started } = storyOf({
    participant: { address: 'SIP:7301@Example.com', name: ' Jane ', deviceId: 'SEP0011', xRefCi: '24' },
  });
  const keys = participantKeys(evolveSession(undefined, started));
  assert.deepEqual(keys, ['24', '7301', 'jane', 'sep0011', 'sip:7301@example.com']);
  for (const typed of ['JANE', '7301', 'Sep0011']) assert.ok(keys.includes(participantKey(typed)));
});

test('hostile names become keys that an index can hold', () => {
  const key = participantKey(`a\0b\ud800${'x'.repeat(10_000)}`);
  assert.equal(key.length, 256);
  assert.ok(!key.includes('\0') && key.isWellFormed());
});
