import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { DomainEvent, EventOf } from '@reelstream/events';
import { Caller, Voice } from '@reelstream/testing/callers';
import { Box } from './test-support/box.ts';
import { plain, portsOf, siprec, twoVoices } from './test-support/offers.ts';
import { call, complete, partial, speak } from './test-support/siprec.ts';

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

describe('a recording session', () => {
  let box: Box;
  before(async () => {
    box = await Box.open({ capacity: 60 });
  });
  after(() => box[Symbol.asyncDispose]());

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
});
