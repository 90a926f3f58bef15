import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { Caller } from '@reelstream/testing/callers';
import { Box } from './test-support/box.ts';
import { plain, portsOf, siprec, twoVoices } from './test-support/offers.ts';
import { endOf, partial, speak } from './test-support/siprec.ts';

const offerOf = async (name: string, boundary: string) => ({
  headers: ['Require: siprec', `Content-Type: multipart/mixed; boundary=${boundary}`],
  body: await readFile(
    new URL(`../../../libs/sip/fixtures/siprec-offers/${name}.txt`, import.meta.url),
    'latin1',
  ),
});

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

  test('R4: says by partial metadata who joins and leaves, in UPDATE with an offer and without, and in re-INVITE', async () => {
    using caller = await Caller.open(box.target);
    const answer = await caller.invite(siprec());
    caller.ack();
    await speak(answer.body);
    const joins = (id: string, label: string, more = ''): string =>
      `<participant participant_id="${id}"><nameID aor="sip:${id}@example.com"/></participant>` +
      `<participantstreamassoc participant_id="${id}"><send>t${label}</send>${more}</participantstreamassoc>`;
    const left =
      '<participantstreamassoc participant_id="p2"><disassociate-time>2026-11-23T08:00:00Z</disassociate-time></participantstreamassoc>';
    const alone = { headers: ['Content-Type: application/rs-metadata'], body: partial(joins('p3', '2')) };
    assert.equal((await caller.request('UPDATE', alone)).body, '');
    const withOffer = await caller.request('UPDATE', siprec(twoVoices, partial(left)));
    assert.deepEqual(portsOf(withOffer.body), portsOf(answer.body));
    const time = '<associate-time>2026-11-23T09:00:00Z</associate-time>';
    await caller.invite(siprec(twoVoices, partial(joins('p4', '1', time))));
    caller.ack();
    await caller.bye();
    const { tracks, flags } = endOf(await box.sessionOf(caller.callId));
    const heard = tracks.map(({ participants }) =>
      participants.map(({ address, joinedAt, leftAt }) => [
        address?.replace('@example.com', ''),
        joinedAt.slice(11, 16),
        leftAt?.slice(11, 16),
      ]),
    );
    assert.deepEqual(heard[0], [
      ['sip:alice', '07:00', undefined],
      ['sip:p4', '09:00', undefined],
    ]);
    assert.deepEqual(
      heard[1]?.map(([address, , leftAt]) => [address, leftAt]),
      [
        ['sip:bob', '08:00'],
        ['sip:p3', undefined],
      ],
    );
    assert.equal(flags, undefined);
  });

  test('R3: may give a line to another stream: it is another track then, and a new label is kept', async () => {
    using caller = await Caller.open(box.target);
    const answer = await caller.invite(siprec());
    caller.ack();
    await speak(answer.body);
    const gone = twoVoices.replace('m=audio 40002', 'm=audio 0');
    await caller.invite(plain(gone));
    caller.ack();
    const reused = await caller.invite(plain(twoVoices.replace('label:2', 'label:screen-7')));
    caller.ack();
    assert.equal(portsOf(reused.body)[0], portsOf(answer.body)[0]);
    assert.notEqual(portsOf(reused.body)[1], portsOf(answer.body)[1]);
    await caller.bye();
    const { tracks } = endOf(await box.sessionOf(caller.callId));
    assert.deepEqual(
      tracks.map(({ label }) => label),
      ['1', '2', 'screen-7'],
    );
  });
});
