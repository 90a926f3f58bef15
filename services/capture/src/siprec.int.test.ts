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

const recording = (mode: string, inner: string): string =>
  `<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>${mode}</datamode>${inner}</recording>`;
const partial = (inner: string): string => recording('partial', inner);
const complete = (inner = ''): string => recording('complete', inner);

/** A communication session with a stream and a participant on each of the labels 1 and 2. */
const call = (id: string, ...names: readonly string[]): string =>
  `<session session_id="${id}"/>${names
    .map(
      (name, index) =>
        `<participant participant_id="${name}"><nameID aor="sip:${name}@example.com"/></participant>` +
        `<stream stream_id="${id}-${index}" session_id="${id}"><label>${index + 1}</label></stream>` +
        `<participantstreamassoc participant_id="${name}"><send>${id}-${index}</send></participantstreamassoc>`,
    )
    .join('')}`;

/** The sessions of ours that a dialog led to, once they are sealed, in their order. */
const ofOneDialog = async (
  box: Box,
  { callId }: Caller,
  count: number,
): Promise<readonly EventOf<'session.ended'>['data'][]> => {
  let ids: readonly string[] = [];
  const isLast = (): boolean => ids.length === count;
  await box.events((event) => {
    if (event.type === 'session.started' && event.data.dialogs[0]?.callId === callId)
      ids = [...new Set([...ids, event.subject])];

    return isLast();
  });
  const sealed = new Set<string>();
  const stored = await box.events((event) => {
    if (event.type === 'recording.sealed' && ids.includes(event.subject)) sealed.add(event.subject);

    return sealed.size === count;
  });

  return stored.flatMap((event) =>
    event.type === 'session.ended' && ids.includes(event.subject) ? [event.data] : [],
  );
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

  test('R6: may come before its calls, go on between them, and has a session of ours for each', async () => {
    using caller = await Caller.open(box.target);
    const idle = await caller.invite(siprec(twoVoices.replaceAll('sendonly', 'inactive'), complete()));
    caller.ack();
    assert.equal(idle.status, 200);
    assert.deepEqual(portsOf(idle.body), [9, 9]);
    const first = await caller.invite(siprec(twoVoices, complete(call('s1', 'alice', 'bob'))));
    caller.ack();
    await speak(first.body, 7);
    const gone = twoVoices.replaceAll(/m=audio \d+/g, 'm=audio 0');
    const rested = await caller.invite(
      siprec(gone, partial('<session session_id="s1"><stop-time>2026-11-23T08:00:00Z</stop-time></session>')),
    );
    caller.ack();
    assert.deepEqual(portsOf(rested.body), [0, 0]);
    const second = await caller.invite(siprec(twoVoices, partial(call('s2', 'carol', 'dave'))));
    caller.ack();
    await speak(second.body, 9);
    await caller.request('UPDATE', plain(twoVoices.replaceAll('sendonly', 'inactive')));
    await caller.bye();

    const sessions = await ofOneDialog(box, caller, 2);
    assert.deepEqual(
      sessions.map(({ correlation, endReason, state, tracks, flags }) => [
        correlation.siprecSessionId,
        `${state} ${endReason}`,
        tracks.map(({ trackNumber, packets, participants }) => [
          trackNumber,
          packets,
          participants[0]?.address,
        ]),
        flags,
      ]),
      [
        [
          's1',
          'CLOSED_NORMAL communication-session-ended',
          [
            [0, 7, 'sip:alice@example.com'],
            [1, 7, 'sip:bob@example.com'],
          ],
          undefined,
        ],
        [
          's2',
          'CLOSED_NORMAL bye',
          [
            [0, 9, 'sip:carol@example.com'],
            [1, 9, 'sip:dave@example.com'],
          ],
          undefined,
        ],
      ],
    );
  });

  test('R6: whose call follows the other on the same streams parts them without losing a packet', async () => {
    using caller = await Caller.open(box.target);
    const answer = await caller.invite(siprec(twoVoices, complete(call('s1', 'alice', 'bob'))));
    caller.ack();
    const [port = 0] = portsOf(answer.body);
    using voice = new Voice(port, 0);
    await voice.say(20);
    const next = {
      headers: ['Content-Type: application/rs-metadata+xml'],
      body: complete(call('s2', 'carol', 'dave')),
    };
    assert.equal((await caller.request('UPDATE', next)).status, 200);
    await voice.say(30);
    await caller.bye();
    const sessions = await ofOneDialog(box, caller, 2);
    const packets: Buffer[] = [];
    for (const { sessionId } of sessions) packets.push(...(await box.packets(sessionId, 0)));
    assert.deepEqual(
      sessions.map(({ tracks }) => tracks[0]?.packets),
      [20, 30],
    );
    assert.deepEqual(packets, voice.sent);
    assert.equal(sessions[1]?.tracks[0]?.participants[0]?.address, 'sip:carol@example.com');
  });

  test('R6: whose calls overlap has one session with the ids of both', async () => {
    using caller = await Caller.open(box.target);
    const answer = await caller.invite(siprec(twoVoices, complete(call('s1', 'alice', 'bob'))));
    caller.ack();
    await speak(answer.body);
    const both = complete(call('s1', 'alice', 'bob') + call('s2', 'carol', 'dave'));
    await caller.invite(siprec(twoVoices, both));
    caller.ack();
    await caller.bye();
    const [only] = await ofOneDialog(box, caller, 1);
    assert.deepEqual(only?.correlation.siprecSessionIds, ['s1', 's2']);
    assert.equal(only.correlation.siprecSessionId, 's1');
    assert.equal(only.tracks[0]?.participants.length, 2);
  });

  test('R6: that never has a call is told as one that was given up', async () => {
    using caller = await Caller.open(box.target);
    assert.equal(
      (await caller.invite(siprec('v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n', complete()))).status,
      200,
    );
    caller.ack();
    await caller.bye();
    const isOurs = (event: DomainEvent): boolean =>
      event.type === 'attempt.cancelled' &&
      event.data.callId === caller.callId &&
      event.data.cause === 'no-communication-session';
    await box.events(isOurs);
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
