import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { derivedId, freshId } from '@reelstream/events';
import { Voice } from '@reelstream/testing/callers';
import { endOf } from './test-support/bib.ts';
import { Box } from './test-support/box.ts';
import { dial, failureOf } from './test-support/dialling.ts';
import { headerOf, Phone } from './test-support/phone.ts';

describe('a call that we place', () => {
  let box: Box;
  before(async () => {
    box = await Box.open({ capacity: 12, settings: { REEL_DIAL_DIRECT: 'yes' } });
  });
  after(() => box[Symbol.asyncDispose]());

  test('offers to receive, is acknowledged once its session is journalled, and is recorded until the phone hangs up', async () => {
    using phone = await Phone.open();
    const commandId = freshId();
    const asked = dial(box, { to: phone.uri, from: 'sip:desk@example.com' }, commandId);
    const invite = await phone.received('INVITE');
    assert.match(invite, /^INVITE sip:1001@127\.0\.0\.1:\d+ SIP\/2\.0\r\n/);
    assert.match(headerOf(invite, 'From'), /^<sip:desk@example\.com>;tag=/);
    assert.match(headerOf(invite, 'Contact'), /^<sip:127\.0\.0\.1:\d+;transport=udp>$/);
    assert.match(invite, /\r\na=recvonly\r\n/);
    phone.respond(invite, '180 Ringing');
    phone.answer(invite, ['8 PCMA/8000']);
    await phone.received('ACK');
    const reply = await asked;
    assert.equal(reply.ok, true);
    using voice = new Voice(phone.offered(invite)[0] ?? 0, 8);
    await voice.say(10);
    assert.equal(await phone.hangUp(invite), 200);
    const stored = await box.sessionOf(headerOf(invite, 'Call-ID'));
    const { data } = endOf(stored);
    assert.equal(data.sessionId, reply.sessionId);
    assert.deepEqual([data.state, data.endReason], ['CLOSED_NORMAL', 'bye']);
    assert.deepEqual(
      data.tracks.map(({ codec, packets, participants }) => [codec, packets, participants[0]?.address]),
      [['PCMA', 10, phone.uri]],
    );
    const [started] = stored;
    assert.ok(started?.type === 'session.started');
    assert.equal(started.id, derivedId('session.started', commandId));
    assert.deepEqual(started.data.dialled, { requestId: commandId, to: phone.uri, media: 'audio' });
    assert.deepEqual(await box.packets(data.sessionId, 0), voice.sent);
  });

  test('goes on when its node is killed: the phone hangs up, or we do', async () => {
    using stack = new DisposableStack();
    const calls = await Promise.all(
      [1, 2].map(async () => {
        const phone = stack.use(await Phone.open());
        const asked = dial(box, { to: phone.uri });
        const invite = await phone.received('INVITE');
        phone.answer(invite, ['8 PCMA/8000']);
        const { sessionId = '' } = await asked;
        const voice = stack.use(new Voice(phone.offered(invite)[0] ?? 0, 8));

        return { phone, invite, sessionId, voice };
      }),
    );
    await box.endCapture('SIGKILL');
    await box.startCapture();
    for (const { voice } of calls) await voice.say(10);
    const [one, other] = calls;
    assert.ok(one && other);
    assert.equal(await one.phone.hangUp(one.invite), 200);
    await box.command({ name: 'stop', sessionId: other.sessionId });
    await other.phone.received('BYE');
    for (const [{ invite, sessionId, voice }, reason] of [
      [one, 'bye'],
      [other, 'stopped'],
    ] as const) {
      const { data } = endOf(await box.sessionOf(headerOf(invite, 'Call-ID')));
      assert.deepEqual(
        [data.state, data.endReason, data.interruptions?.length],
        ['CLOSED_NORMAL', reason, 1],
      );
      assert.deepEqual(await box.packets(sessionId, 0), voice.sent);
    }
  });

  test('that is commanded twice is placed once, and answered alike', async () => {
    using phone = await Phone.open();
    const commandId = freshId();
    const asked = [dial(box, { to: phone.uri }, commandId), dial(box, { to: phone.uri }, commandId)];
    const invite = await phone.received('INVITE');
    phone.answer(invite, ['0 PCMU/8000']);
    const [one, other] = await Promise.all(asked);
    assert.deepEqual(one, other);
    assert.deepEqual(await dial(box, { to: phone.uri }, commandId), one);
    assert.equal(phone.requests.filter((text) => text.startsWith('INVITE')).length, 1);
    await phone.hangUp(invite);
  });

  for (const [status, cause] of [
    ['486 Busy Here', 'busy'],
    ['603 Decline', 'refused'],
    ['404 Not Found', 'not-found'],
    ['480 Temporarily Unavailable', 'no-answer'],
    ['503 Service Unavailable', 'unavailable'],
    ['302 Moved Temporarily', 'redirected'],
    ['407 Proxy Authentication Required', 'unauthorized'],
  ] as const)
    test(`that is answered ${status} has failed: ${cause}; nothing of it is left`, async () => {
      using phone = await Phone.open();
      const commandId = freshId();
      const before = await box.outbox();
      const asked = dial(box, { to: phone.uri }, commandId);
      const invite = await phone.received('INVITE');
      phone.respond(invite, status);
      const reply = await asked;
      assert.deepEqual([reply.ok, reply.code, reply.sipStatus], [false, cause, Number.parseInt(status, 10)]);
      assert.equal(reply.callId, headerOf(invite, 'Call-ID'));
      const { id, data } = await failureOf(box, commandId);
      assert.equal(id, derivedId('attempt.failed', commandId));
      assert.deepEqual(
        [data.cause, data.status, data.toUri, data.callId],
        [cause, Number.parseInt(status, 10), phone.uri, headerOf(invite, 'Call-ID')],
      );
      await box.heartbeat(({ load }) => load === 0);
      assert.deepEqual(await box.outbox(), before);
    });

  test('that nobody answers is taken back at the ring limit', async () => {
    using phone = await Phone.open();
    const commandId = freshId();
    const asked = dial(box, { to: phone.uri, ringLimitMs: 1_000 }, commandId);
    const invite = await phone.received('INVITE');
    phone.respond(invite, '180 Ringing');
    await phone.received('CANCEL');
    phone.respond(invite, '487 Request Terminated');
    const reply = await asked;
    assert.deepEqual([reply.ok, reply.code, reply.sipStatus], [false, 'no-answer', 487]);
    assert.equal((await failureOf(box, commandId)).data.cause, 'no-answer');
  });

  test('that is answered in the moment it is taken back is hung up, and no session', async () => {
    using phone = await Phone.open();
    const commandId = freshId();
    const asked = dial(box, { to: phone.uri, ringLimitMs: 1_000 }, commandId);
    const invite = await phone.received('INVITE');
    phone.respond(invite, '180 Ringing');
    await phone.received('CANCEL');
    phone.answer(invite, ['0 PCMU/8000']);
    await phone.received('BYE');
    assert.equal((await asked).code, 'no-answer');
  });

  test('whose answer takes nothing of our offer is hung up', async () => {
    using phone = await Phone.open();
    const asked = dial(box, { to: phone.uri });
    phone.answer(await phone.received('INVITE'), [undefined]);
    await phone.received('ACK');
    await phone.received('BYE');
    assert.equal((await asked).code, 'bad-answer');
  });

  test('for audio and video goes on with what the answer takes', async () => {
    using phone = await Phone.open();
    const asked = dial(box, { to: phone.uri, media: 'audio-video' });
    const invite = await phone.received('INVITE');
    assert.equal(phone.offered(invite).length, 2);
    phone.answer(invite, ['0 PCMU/8000', undefined]);
    assert.equal((await asked).ok, true);
    await box.heartbeat(({ load }) => load === 1);
    await phone.hangUp(invite);
    const { tracks } = endOf(await box.sessionOf(headerOf(invite, 'Call-ID'))).data;
    assert.deepEqual(
      tracks.map(({ mediaType }) => mediaType),
      ['audio'],
    );
  });

  test('ends by our BYE when its session is stopped', async () => {
    using phone = await Phone.open();
    const asked = dial(box, { to: phone.uri });
    const invite = await phone.received('INVITE');
    phone.answer(invite, ['0 PCMU/8000']);
    const { sessionId = '' } = await asked;
    using voice = new Voice(phone.offered(invite)[0] ?? 0, 0);
    await voice.say(3);
    await box.command({ name: 'stop', sessionId });
    const bye = await phone.received('BYE');
    assert.equal(headerOf(bye, 'From'), headerOf(invite, 'From'));
    assert.equal(endOf(await box.sessionOf(headerOf(invite, 'Call-ID'))).data.endReason, 'stopped');
  });

  test('that rang when its node died is said to have failed by the next life', async () => {
    using phone = await Phone.open();
    const commandId = freshId();
    dial(box, { to: phone.uri }, commandId).catch(() => undefined);
    const invite = await phone.received('INVITE');
    phone.respond(invite, '180 Ringing');
    await box.endCapture('SIGKILL');
    await phone.received('CANCEL');
    phone.respond(invite, '487 Request Terminated');
    await box.startCapture();
    const { data } = await failureOf(box, commandId);
    assert.deepEqual([data.cause, data.callId], ['interrupted', headerOf(invite, 'Call-ID')]);
  });

  test('to a host that has no address, or without a way, fails at once', async () => {
    assert.equal((await dial(box, { to: 'sip:1001@nowhere.invalid' })).code, 'unreachable');
    assert.equal((await dial(box, { to: 'sip:1001@127.0.0.1;transport=sctp' })).code, 'unreachable');
  });
});

test('a call goes over the outbound proxy, whatever its host; without proxy and leave none is placed', async () => {
  using proxy = await Phone.open();
  const settings = { REEL_OUTBOUND_PROXY: `sip:127.0.0.1:${proxy.port}` };
  await using box = await Box.open({ settings });
  const asked = dial(box, { to: 'sip:1001@pbx.example.com' });
  const invite = await proxy.received('INVITE');
  assert.match(invite, /^INVITE sip:1001@pbx\.example\.com SIP\/2\.0\r\n/);
  proxy.respond(invite, '486 Busy Here');
  assert.equal((await asked).code, 'busy');
  await using other = await Box.open();
  assert.equal((await dial(other, { to: 'sip:1001@127.0.0.1' })).code, 'not-configured');
});
