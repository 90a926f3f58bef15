import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import type { DomainEvent, EventOf } from '@reelstream/events';
import { Box } from './test-support/box.ts';
import { Caller, Voice } from './test-support/caller.ts';
import { plain, portsOf, siprec, twoVoices } from './test-support/offers.ts';

const endOf = (events: readonly DomainEvent[]): EventOf<'session.ended'>['data'] => {
  const ended = events.find((event): event is EventOf<'session.ended'> => event.type === 'session.ended');
  assert.ok(ended, `no end among ${events.map(({ type }) => type).join(', ')}`);

  return ended.data;
};

const offerOf = async (name: string, boundary: string) => ({
  headers: ['Require: siprec', `Content-Type: multipart/mixed; boundary=${boundary}`],
  body: await readFile(
    new URL(`../../../libs/sip/fixtures/siprec-offers/${name}.txt`, import.meta.url),
    'latin1',
  ),
});

/** Speaks on every port of an answer that is not refused. */
const speak = async (sdp: string, packets = 5): Promise<void> => {
  for (const port of portsOf(sdp)) {
    if (port === 0) continue;
    using voice = new Voice(port, 0);
    await voice.say(packets);
  }
};

describe('a SIPREC client', () => {
  let box: Box;
  before(async () => {
    box = await Box.open({ capacity: 60 });
  });
  after(() => box[Symbol.asyncDispose]());

  test('R7: is recorded whatever it sends, byte for byte as the field has it, and what is odd is told', async () => {
    const offers = [
      ['acme-siprec-offer', 'unique-boundary-1', ['old-namespace']],
      ['cisco-siprec-offer', 'uniqueBoundary', ['broken-body']],
      [
        'broadworks-offer',
        '"UniqueBroadWorksBoundary"',
        ['broken-metadata', 'old-namespace', 'unknown-label', 'wrong-content-type'],
      ],
      ['non-siprec-payload', 'nowhere', ['no-metadata', 'wrong-content-type', 'broken-body']],
    ] as const;
    for (const [name, boundary, flags] of offers) {
      using caller = await Caller.open(box.target);
      const answer = await caller.invite(await offerOf(name, boundary));
      assert.equal(answer.status, 200, name);
      assert.match(answer.text, /^Contact: <[^>]+>;\+sip\.srs\r$/m);
      caller.ack();
      await speak(answer.body);
      await caller.bye();
      const ended = endOf(await box.sessionOf(caller.callId));
      assert.equal(ended.state, 'CLOSED_NORMAL', name);
      assert.deepEqual(ended.flags, flags, name);
    }
  });

  test('R11: that holds and takes back is told by tags on each track, and so is a stream taken away', async () => {
    using caller = await Caller.open(box.target);
    const answer = await caller.invite(siprec());
    caller.ack();
    await speak(answer.body);
    const held = await caller.invite(plain(twoVoices.replaceAll('sendonly', 'inactive')));
    caller.ack();
    assert.equal(held.body.match(/a=inactive/g)?.length, 2);
    assert.match(held.text, /^Contact: <[^>]+>;\+sip\.srs\r$/m);
    const back = await caller.invite(plain(twoVoices));
    caller.ack();
    assert.deepEqual(portsOf(back.body), portsOf(answer.body));
    const removed = await caller.request('UPDATE', plain(twoVoices.replace('m=audio 40002', 'm=audio 0')));
    assert.equal(portsOf(removed.body)[1], 0);
    await caller.bye();
    const ended = endOf(await box.sessionOf(caller.callId));
    const tags = (ended.tags ?? []).map(({ name, trackNumber }) => `${name} ${trackNumber}`);
    assert.deepEqual(tags, [
      'TrackInactive 0',
      'TrackInactive 1',
      'TrackActive 0',
      'TrackActive 1',
      'TrackInactive 1',
    ]);
    assert.ok((ended.tags ?? []).every(({ offsetMs }) => offsetMs > 0 && offsetMs <= ended.durationMs));
    assert.equal(ended.flags, undefined);
  });

  test('R2: on hold from the beginning to the end is answered inactive, and its silence is no error', async () => {
    using caller = await Caller.open(box.target);
    const answer = await caller.invite(await offerOf('inactive-sdp-offer', 'uniqueBoundary'));
    assert.equal(answer.body.match(/a=inactive/g)?.length, 2);
    caller.ack();
    await caller.bye();
    const ended = endOf(await box.sessionOf(caller.callId));
    assert.equal(`${ended.state} ${ended.endReason}`, 'CLOSED_NORMAL bye');
    assert.deepEqual(
      ended.tags?.map(({ name, offsetMs }) => `${name} ${offsetMs}`),
      ['TrackInactive 0', 'TrackInactive 0'],
    );
  });
});
