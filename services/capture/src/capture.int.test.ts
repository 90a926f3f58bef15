import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { CommandReply, DomainEvent, EventOf, EventType } from '@reelstream/events';
import { commandSubject, freshId, positionSubject, reservationSubject } from '@reelstream/events';
import { waitFor } from '@reelstream/testing';
import { Caller, Voice } from '@reelstream/testing/callers';
import { Box } from './test-support/box.ts';
import { metadataOnly, oneVoice, plain, portsOf, siprec, twoForked } from './test-support/offers.ts';

const only = <T extends EventType>(events: readonly DomainEvent[], type: T): EventOf<T>[] =>
  events.filter((event): event is EventOf<T> => event.type === type);

const last = <T extends EventType>(events: readonly DomainEvent[], type: T): EventOf<T> => {
  const found = only(events, type).at(-1);
  assert.ok(found, `no ${type} among ${events.map((event) => event.type).join(', ')}`);

  return found;
};

/** A SIPREC call with two voices that speak `packets` each, hung up. */
const callAndHangUp = async (box: Box, packets: number) => {
  using caller = await Caller.open(box.target);
  const answer = await caller.invite(siprec());
  assert.equal(answer.status, 200);
  caller.ack();
  const [first = 0, second = 0] = portsOf(answer.body);
  using alice = new Voice(first, 0);
  using bob = new Voice(second, 8);
  await Promise.all([alice.say(packets), bob.say(packets)]);
  await box.heartbeat(({ load }) => load >= 2);
  assert.equal((await caller.bye()).status, 200);

  return { callId: caller.callId, answer, alice: alice.sent, bob: bob.sent };
};

describe('a call', () => {
  let box: Box;
  before(async () => {
    box = await Box.open({ capacity: 40 });
  });
  after(() => box[Symbol.asyncDispose]());

  test('of a SIPREC client is recorded packet for packet, and told in order', async () => {
    const { callId, answer, alice, bob } = await callAndHangUp(box, 50);
    assert.match(answer.text, /^Contact: <sip:127\.0\.0\.1:\d+;transport=udp>;\+sip\.srs\r$/im);
    assert.equal(answer.body.match(/a=recvonly/g)?.length, 2);
    assert.match(answer.body, /c=IN IP4 127\.0\.0\.1/);

    const events = await box.sessionOf(callId);
    assert.deepEqual(
      events.map(({ type }) => type),
      ['session.started', 'session.updated', 'session.updated', 'session.ended', 'recording.sealed'],
    );
    assert.deepEqual(
      events.map(({ version }) => version),
      [1, 2, 3, 4, 5],
    );
    const ended = last(events, 'session.ended');
    assert.equal(`${ended.data.state} ${ended.data.endReason}`, 'CLOSED_NORMAL bye');
    assert.deepEqual(
      ended.data.tracks.map(({ codec, label, packets, lost, participants }) => [
        codec,
        label,
        packets,
        lost,
        participants[0]?.address,
      ]),
      [
        ['PCMU', '1', 50, 0, 'sip:alice@example.com'],
        ['PCMA', '2', 50, 0, 'sip:bob@example.com'],
      ],
    );
    assert.deepEqual(ended.data.correlation, {
      sipSessionId: 'e9fffff2020a598b86962867715db0cf',
      siprecSessionId: 's1',
    });
    assert.equal(ended.origin, 'primary');
    assert.equal(ended.epoch, 1);
    const { subject } = ended;
    assert.deepEqual(await box.packets(subject, 0), alice);
    assert.deepEqual(await box.packets(subject, 1), bob);
    const sealed = last(events, 'recording.sealed').data;
    assert.equal(sealed.sizeBytes, (await box.manifest(subject)).sizeBytes);
    assert.deepEqual(await readdir(join(box.folderOf(subject), 'bodies')), ['001-invite']);
    // Who has only a Call-ID finds the call in the log, and how it went.
    await box.logged(new RegExp(`"callIds":\\["${callId}"\\],"msg":"session.started"`));
    await box.logged(new RegExp(`"sessionId":"${subject}".*"endReason":"bye".*"msg":"session.ended"`));
  });

  test('forked by CUBE has its parties by media index', async () => {
    using caller = await Caller.open(box.target);
    const answer = await caller.invite(
      plain(
        twoForked,
        'Cisco-Guid: 0001-0002-0003-0004',
        'X-Cisco-Recording-Participant: sip:1001@10.0.0.1;media-index="0"',
        'X-Cisco-Recording-Participant: sip:2002@10.0.0.1;media-index="1"',
      ),
    );
    assert.equal(answer.status, 200);
    caller.ack();
    using voice = new Voice(portsOf(answer.body)[0] ?? 0, 0);
    await voice.say(5);
    await caller.bye();
    const { data } = last(await box.sessionOf(caller.callId), 'session.ended');
    assert.equal(data.controller.type, 'cube');
    assert.equal(data.correlation.ciscoGuid, '0001-0002-0003-0004');
    assert.deepEqual(
      data.tracks.map(({ participants }) => participants[0]?.address),
      ['sip:1001@10.0.0.1', 'sip:2002@10.0.0.1'],
    );
    assert.equal(data.state, 'CLOSED_NORMAL');
  });

  test('of which nothing is heard ends as an error: no media', async () => {
    using caller = await Caller.open(box.target);
    const answer = await caller.invite(plain(oneVoice));
    caller.ack();
    assert.equal(portsOf(answer.body).length, 1);
    await caller.bye();
    const { data } = last(await box.sessionOf(caller.callId), 'session.ended');
    assert.equal(`${data.state} ${data.endReason}`, 'CLOSED_ERROR no-media');
    assert.equal(data.controller.type, 'direct');
    assert.equal(data.tracks[0]?.participants[0]?.address, 'sip:src@127.0.0.1');
  });

  test('of a built-in bridge leaves the offer to us', async () => {
    const from = '<sip:1001@127.0.0.1;x-nearend;x-refci=18100001;x-nearenddevice=SEP1;x-nearendaddr=1001>';
    using caller = await Caller.open(box.target, from);
    const offered = await caller.invite();
    assert.equal(offered.status, 200);
    assert.match(offered.body, /m=audio \d+ RTP\/AVP 0 8 9 114 18 116 108 107 106 112 113 110 111 101\r\n/);
    caller.ack(oneVoice.replace('0 8 101', '8'));
    using voice = new Voice(portsOf(offered.body)[0] ?? 0, 8);
    await voice.say(5);
    await box.events(
      (event) => event.type === 'session.updated' && event.data.correlation.xRefCi === '18100001',
    );
    await caller.bye();
    const { data } = last(await box.sessionOf(caller.callId), 'session.ended');
    assert.equal(data.controller.type, 'cucm');
    assert.equal(data.tracks[0]?.codec, 'PCMA');
    assert.equal(data.tracks[0]?.participants[0]?.deviceId, 'SEP1');
  });

  test('changes while it runs: metadata alone, a new line, and an INVITE without a body', async () => {
    using caller = await Caller.open(box.target);
    const answer = await caller.invite(siprec());
    caller.ack();
    const ports = portsOf(answer.body);

    const update = await caller.request('UPDATE', metadataOnly('sip:carol@example.com', 'Carol'));
    assert.equal(`${update.status} ${update.body}`, '200 ');
    const offered = await caller.invite();
    assert.deepEqual(portsOf(offered.body), ports);
    caller.ack(siprec().body.match(/v=0[\s\S]*?a=label:2\r\n/)?.[0]);
    const video = 'm=video 40004 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=sendonly\r\na=label:3\r\n';
    const grown = await caller.invite(plain(siprec().body.match(/v=0[\s\S]*?a=label:2\r\n/)?.[0] + video));
    caller.ack();
    assert.deepEqual(portsOf(grown.body).slice(0, 2), ports);
    assert.match(grown.body, /m=video [1-9]\d* RTP\/AVP 96/);
    await caller.bye();

    const events = await box.sessionOf(caller.callId);
    const [updated] = only(events, 'session.updated').filter(({ data }) => data.reason === 'metadata');
    assert.deepEqual(
      updated?.data.tracks[1]?.participants.map(({ name, leftAt }) => [name, leftAt === undefined]),
      [
        ['Bob', false],
        ['Carol', true],
      ],
    );
    assert.deepEqual(
      last(events, 'session.ended').data.tracks.map(({ codec }) => codec),
      ['PCMU', 'PCMA', 'H264'],
    );
  });

  test('can be stopped by command, and its journal be told again', async () => {
    using caller = await Caller.open(box.target);
    await caller.invite(plain(oneVoice));
    caller.ack();
    const isOurs = (event: DomainEvent): boolean =>
      event.type === 'session.started' && event.data.dialogs[0]?.callId === caller.callId;
    const sessionId = (await box.events(isOurs)).find(isOurs)?.subject ?? '';
    assert.deepEqual(await box.command({ name: 'stop', sessionId }), { ok: true, version: 2 });
    await waitFor(() => caller.received.includes('BYE') || undefined, {
      deadlineMs: 30_000,
      describe: 'no BYE',
    });
    const before = await box.sessionOf(caller.callId);
    assert.deepEqual(await box.command({ name: 'republish', sessionId, fromVersion: 1 }), { ok: true });
    await waitFor(
      async () => ((await box.sessionOf(caller.callId)).length === 2 * before.length ? true : undefined),
      { deadlineMs: 30_000, describe: 'it was not told again' },
    );
    assert.equal((await box.command({ name: 'stop', sessionId: freshId() })).code, 'unknown-session');
    const refused = await box.bus.request(commandSubject('capture-1'), { name: 'dance' }, 5_000);
    assert.equal((refused as CommandReply).code, 'bad-command');
  });

  test('is forgotten by the outbox once the database has it', async () => {
    const { callId } = await callAndHangUp(box, 2);
    const [started] = await box.sessionOf(callId);
    const { lastSequence: sequence } = await box.bus.events.info();
    await waitFor(
      async () => {
        box.bus.publish(positionSubject('primary'), {
          server: 'primary',
          generation: 1,
          sequence,
          base: 0,
          behind: 0,
        });

        return (await box.outbox()).includes(started?.subject ?? '') ? undefined : true;
      },
      { deadlineMs: 30_000, describe: 'the outbox keeps it' },
    );
  });

  test('that is taken back leaves nothing but an event', async () => {
    for (let attempts = 0; ; attempts += 1) {
      assert.ok(attempts < 20, 'every answer was faster than its CANCEL');
      using caller = await Caller.open(box.target);
      const [answer] = await Promise.all([caller.invite(siprec()), caller.cancel()]);
      if (answer.status === 200) {
        caller.ack();
        await caller.bye();
        continue;
      }
      assert.equal(answer.status, 487);
      const events = await box.events(
        (event) => event.type === 'attempt.cancelled' && event.data.callId === caller.callId,
      );
      const started = only(events, 'session.started').filter(
        ({ data }) => data.dialogs[0]?.callId === caller.callId,
      );
      assert.deepEqual(started, []);
      break;
    }
    await box.heartbeat(({ load }) => load === 0);
  });
});

describe('a node that is full', () => {
  test('refuses calls and OPTIONS with 503, says why, and takes calls again', async () => {
    await using box = await Box.open({ capacity: 2 });
    using first = await Caller.open(box.target);
    using second = await Caller.open(box.target);
    using asking = await Caller.open(box.target);
    assert.equal((await asking.request('OPTIONS')).status, 200);
    assert.equal((await first.invite(siprec())).status, 200);
    first.ack();
    const refused = await second.invite(siprec());
    assert.equal(refused.status, 503);
    assert.match(refused.text, /^Retry-After: 1\r$/im);
    assert.equal((await asking.request('OPTIONS')).status, 503);
    const events = await box.events((event) => event.type === 'attempt.refused');
    const { data } = last(events, 'attempt.refused');
    assert.deepEqual([data.callId, data.cause, data.status], [second.callId, 'no-capacity', 503]);
    await first.bye();
    await box.heartbeat(({ load }) => load === 0);
    using third = await Caller.open(box.target);
    assert.equal((await third.invite(siprec())).status, 200);
    third.ack();
    await third.bye();
  });

  test('counts a reservation until its call comes or its time is up', async () => {
    await using box = await Box.open({ advertise: '127.0.0.0/8=192.0.2.7' });
    using caller = await Caller.open(box.target);
    const reservation = { reservationId: freshId(), callId: caller.callId, weight: 2, ttlMs: 60_000 };
    box.bus.publish(reservationSubject('capture-1'), reservation);
    box.bus.publish(reservationSubject('capture-1'), {
      ...reservation,
      reservationId: freshId(),
      callId: 'x',
      ttlMs: 1,
    });
    await box.heartbeat(({ reserved }) => reserved === 2);
    const claims: unknown[] = [];
    box.bus.subscribe('claim.capture-1', ({ data }) => void claims.push(data));
    const answer = await caller.invite(siprec());
    caller.ack();
    assert.match(answer.body, /c=IN IP4 192\.0\.2\.7\r\n/, 'the address that clients there know us by');
    assert.match(answer.text, /^Contact: <sip:192\.0\.2\.7:\d+;/im);
    await box.heartbeat(({ reserved, load }) => reserved === 0 && load === 2);
    assert.deepEqual(claims, [{ callId: caller.callId, home: 'capture-1' }]);
    await caller.bye();
  });
});

describe('a recording goes on', () => {
  test('while the bus is away: its events come afterwards, in order and once', async () => {
    await using box = await Box.open();
    await box.heartbeat(({ state }) => state === 'ready');
    await box.nats.stop();
    using caller = await Caller.open(box.target);
    const answer = await caller.invite(siprec());
    assert.equal(answer.status, 200);
    caller.ack();
    using voice = new Voice(portsOf(answer.body)[0] ?? 0, 0);
    await voice.say(20);
    await caller.bye();
    await box.nats.restart();
    const events = await box.sessionOf(caller.callId);
    assert.deepEqual(
      events.map(({ version, type }) => `${version} ${type}`),
      ['1 session.started', '2 session.updated', '3 session.ended', '4 recording.sealed'],
    );
    assert.deepEqual(await box.packets(events[0]?.subject ?? '', 0), voice.sent);
  });

  test('to its end when the node is stopped: it is hung up, sealed and told', async () => {
    await using box = await Box.open();
    using caller = await Caller.open(box.target);
    const answer = await caller.invite(siprec());
    caller.ack();
    using voice = new Voice(portsOf(answer.body)[0] ?? 0, 0);
    await voice.say(5);
    assert.equal(await box.endCapture('SIGTERM'), 0);
    assert.deepEqual(caller.received, ['BYE']);
    const events = await box.sessionOf(caller.callId);
    const { data } = last(events, 'session.ended');
    assert.equal(`${data.state} ${data.endReason}`, 'CLOSED_NORMAL stopped');
    await box.events((event) => event.type === 'node.stopped');
  });
});
