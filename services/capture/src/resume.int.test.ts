import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import type { DomainEvent, EventOf, EventType } from '@reelstream/events';
import { readJournal } from '@reelstream/recording';
import { Secret } from '@reelstream/service';
import { Caller, SrtpSender, Voice } from '@reelstream/testing/callers';
import { waitFor } from '@reelstream/testing';
import { readTrackKeys } from './session-keys.ts';
import { answered, establish, freshRefCi, openLeg, portOf } from './test-support/bib.ts';
import { Box } from './test-support/box.ts';
import {
  metadata,
  metadataOnly,
  oneVoice,
  plain,
  portsOf,
  siprec,
  twoVoices,
} from './test-support/offers.ts';

const last = <T extends EventType>(events: readonly DomainEvent[], type: T): EventOf<T> => {
  const found = events.filter((event): event is EventOf<T> => event.type === type).at(-1);
  assert.ok(found, `no ${type} among ${events.map((event) => event.type).join(', ')}`);

  return found;
};

const sdpOf = (body: string): string => body.match(/v=0[\s\S]*?a=label:2\r\n/)?.[0] ?? '';

/** Waits until what a voice has said so far is on the way to the disk: until then a kill may take it. */
const heard = async (box: Box, caller: Caller): Promise<string> => {
  const isHeard = (event: DomainEvent): boolean =>
    event.type === 'session.updated' &&
    event.data.dialogs.some(({ callId }) => callId === caller.callId) &&
    event.data.tracks.some(({ firstPacketAt }) => firstPacketAt !== undefined);
  const stored = await box.events(isHeard);

  return stored.find(isHeard)?.subject ?? '';
};

/** Waits until the answer to our offer is journalled. */
const agreed = (box: Box, { callId }: Caller): Promise<unknown> =>
  box.events(
    ({ type, data }) =>
      type === 'session.updated' &&
      data.dialogs.at(-1)?.callId === callId &&
      data.tracks.every(({ codec }) => codec === 'PCMA'),
  );

const noCall =
  '<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode></recording>';
const ended =
  '<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>partial</datamode>' +
  '<session session_id="s1"><stop-time>2026-11-23T08:00:00Z</stop-time></session></recording>';

const killAndRestart = async (box: Box): Promise<void> => {
  await box.endCapture('SIGKILL');
  await box.startCapture();
};

const command = async (box: Box, name: 'pause' | 'resume', sessionId: string): Promise<boolean> =>
  (await box.command({ name, sessionId })).ok;

/** Whether the journal says where the sources of an encrypted track stand, past their first wrap. */
const noted = async (box: Box, sessionId: string): Promise<boolean> => {
  const { notes } = await readJournal(box.folderOf(sessionId));
  const clusterKey = new Secret(Buffer.alloc(32, 1).toString('base64'));

  return readTrackKeys(notes, clusterKey)[0]?.rollovers?.some(({ roc }) => roc === 1) ?? false;
};

describe('a node that is killed goes on with its calls', () => {
  let box: Box;
  before(async () => {
    box = await Box.open({ settings: { REEL_SDES_WITHOUT_TLS: 'yes' } });
  });
  after(() => box[Symbol.asyncDispose]());

  test('same session, same ports, the gap is told, and requests are answered as if nothing had been', async () => {
    using caller = await Caller.open(box.target);
    const answer = await caller.invite(siprec());
    caller.ack();
    const ports = portsOf(answer.body);
    using voice = new Voice(ports[0] ?? 0, 0);
    await voice.say(50);
    const sessionId = await heard(box, caller);
    await box.endCapture('SIGKILL');
    await voice.say(5);
    await box.startCapture();
    await voice.say(50);
    const update = await caller.request('UPDATE', metadataOnly('sip:carol@example.com', 'Carol'));
    assert.equal(update.status, 200);
    const offered = await caller.invite();
    assert.deepEqual([offered.status, portsOf(offered.body)], [200, ports]);
    const [before, after] = [answer.body, offered.body].map((body) => /^o=- (\d+) (\d+)/m.exec(body) ?? []);
    assert.equal(after?.[1], before?.[1]);
    assert.ok(Number(after?.[2]) > Number(before?.[2]), 'a new version of the same description');
    caller.ack(sdpOf(siprec().body));
    assert.equal((await caller.bye()).status, 200);

    const events = await box.sessionOf(caller.callId);
    assert.deepEqual(
      events.map(({ version, subject }) => `${version} ${subject}`),
      events.map((_, at) => `${at + 1} ${sessionId}`),
    );
    const { data } = last(events, 'session.ended');
    assert.equal(`${data.state} ${data.endReason}`, 'CLOSED_NORMAL bye');
    assert.deepEqual(
      data.tracks[1]?.participants.map(({ name }) => name),
      ['Bob', 'Carol'],
    );
    const [interruption, ...others] = last(events, 'session.resumed').data.interruptions ?? [];
    assert.deepEqual([last(events, 'session.resumed').epoch, others], [2, []]);
    assert.ok(interruption && Date.parse(interruption.to) - Date.parse(interruption.from) > 0);
    const kept = await box.packets(sessionId, 0);
    assert.deepEqual(kept, voice.sent.toSpliced(50, 5));
    assert.equal(data.tracks[0]?.packets, kept.length);
    const { tracks, recovered, interruptions } = await box.manifest(sessionId);
    const { offsetMs: fromMs, durationMs } = interruption;
    assert.deepEqual([recovered, interruptions], [undefined, [{ fromMs, durationMs }]]);
    const [gap, ...more] = tracks[0]?.gaps ?? [];
    assert.deepEqual([gap?.cause, more], ['interrupted', []]);
    // Within what lay in the segment log of the one and comes first in the other.
    assert.ok(gap && gap.fromMs < interruption.offsetMs + 200 && gap.durationMs >= interruption.durationMs);
  });

  test('a call that is paused stays so, and nothing of it is kept', async () => {
    using caller = await Caller.open(box.target);
    const [port = 0] = portsOf((await caller.invite(plain(oneVoice))).body);
    caller.ack();
    using voice = new Voice(port, 0);
    await voice.say(10);
    const sessionId = await heard(box, caller);
    assert.ok(await command(box, 'pause', sessionId));
    await killAndRestart(box);
    await voice.say(10);
    assert.ok(await command(box, 'resume', sessionId));
    await voice.say(10);
    await caller.bye();
    await box.sessionOf(caller.callId);
    assert.deepEqual(await box.packets(sessionId, 0), voice.sent.toSpliced(10, 10));
  });

  test('the legs of a call that a phone forks: one joins before, one after', async () => {
    const refCi = freshRefCi();
    using near = await openLeg(box, 'near', refCi);
    using far = await openLeg(box, 'far', refCi);
    const nearPort = portOf(await establish(near));
    await agreed(box, near);
    await killAndRestart(box);
    const farPort = portOf(await establish(far));
    await agreed(box, far);
    await killAndRestart(box);
    using alice = new Voice(nearPort, 8);
    using bob = new Voice(farPort, 8);
    await Promise.all([alice.say(10), bob.say(10)]);
    const offered = await far.invite();
    assert.equal(portOf(offered), farPort);
    far.ack(answered);
    await near.bye();
    await far.bye();
    const events = await box.sessionOf(near.callId);
    const { data } = last(events, 'session.ended');
    assert.deepEqual(
      data.tracks.map(({ trackNumber, packets }) => [trackNumber, packets]),
      [
        [0, 10],
        [1, 10],
      ],
    );
    assert.deepEqual([data.dialogs.length, data.flags, data.interruptions?.length], [2, undefined, 2]);
  });

  test('an encrypted call, past a wrap of its sequence numbers', async () => {
    const suite = 'AES_CM_128_HMAC_SHA1_80';
    const [key, salt] = [randomBytes(16), randomBytes(14)];
    const inline = Buffer.concat([key, salt]).toString('base64');
    const offer = oneVoice.replace('RTP/AVP', 'RTP/SAVP') + `a=crypto:1 ${suite} inline:${inline}\r\n`;
    using caller = await Caller.open(box.target);
    const answer = await caller.invite(plain(offer));
    caller.ack();
    const sender = new SrtpSender(suite, { key, salt });
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    using _ = { [Symbol.dispose]: () => socket.close() };
    const sent: Buffer[] = [];
    const say = async (from: number, to: number): Promise<void> => {
      for (let place = from; place < to; place += 1) {
        const packet = Buffer.alloc(172, place & 0xff);
        packet.writeUInt16BE(0x8000, 0);
        packet.writeUInt16BE(place & 0xffff, 2);
        packet.writeUInt32BE(place * 160, 4);
        packet.writeUInt32BE(0xabcdef01, 8);
        sent.push(Buffer.from(packet));
        const sealed = sender.protectRtp(packet, Math.floor(place / 65_536));
        await new Promise((resolve) => socket.send(sealed, portsOf(answer.body)[0], '127.0.0.1', resolve));
      }
    };
    const keyLine = (body: string): string => /^a=crypto:.*$/m.exec(body)?.[0] ?? 'none';
    await say(65_500, 65_600);
    const sessionId = await heard(box, caller);
    // Where the source stands is noted once a second.
    await waitFor(async () => (await noted(box, sessionId)) || undefined, {
      deadlineMs: 30_000,
      describe: 'the wrap is not in the journal',
    });
    await killAndRestart(box);
    await say(65_620, 65_700);
    const offered = await caller.invite(plain(offer));
    assert.equal(keyLine(offered.body), keyLine(answer.body), 'our keys stay');
    caller.ack();
    await caller.bye();
    const { data } = last(await box.sessionOf(caller.callId), 'session.ended');
    assert.deepEqual([data.tracks[0]?.packets, data.flags], [sent.length, undefined]);
    assert.deepEqual(await box.packets(sessionId, 0), sent);
  });
});

describe('a node that is killed', () => {
  test('goes on with recording sessions that wait for their call, before it and after it', async () => {
    await using box = await Box.open();
    using caller = await Caller.open(box.target);
    const waiting = siprec(twoVoices.replaceAll('sendonly', 'inactive'), noCall);
    assert.equal((await caller.invite(waiting)).status, 200);
    caller.ack();
    await killAndRestart(box);
    const answer = await caller.invite(siprec());
    assert.equal(answer.status, 200);
    caller.ack();
    using voice = new Voice(portsOf(answer.body)[0] ?? 0, 0);
    await voice.say(10);
    await heard(box, caller);
    const rested = await caller.invite(siprec(twoVoices.replaceAll(/m=audio \d+/g, 'm=audio 0'), ended));
    assert.equal(rested.status, 200);
    caller.ack();
    const { data } = last(await box.sessionOf(caller.callId), 'session.ended');
    assert.deepEqual([data.endReason, data.tracks[0]?.packets], ['communication-session-ended', 10]);
    await killAndRestart(box);
    assert.equal((await caller.invite(siprec(twoVoices, metadata().replaceAll('s1', 's2')))).status, 200);
    caller.ack();
    await caller.bye();
    await box.events(
      ({ type, data: told }) =>
        type === 'session.ended' &&
        told.correlation.siprecSessionId === 's2' &&
        told.endReason === 'no-media',
    );
  });

  test('goes on with its calls though the bus is away, and its events come afterwards, in order and once', async () => {
    await using box = await Box.open();
    using caller = await Caller.open(box.target);
    const [port = 0] = portsOf((await caller.invite(plain(oneVoice))).body);
    caller.ack();
    using voice = new Voice(port, 0);
    await voice.say(20);
    const sessionId = await heard(box, caller);
    await box.nats.stop();
    await killAndRestart(box);
    await voice.say(20);
    assert.equal((await caller.bye()).status, 200);
    await box.nats.restart();
    const events = await box.sessionOf(caller.callId);
    assert.deepEqual(
      events.map(({ version, type }) => `${version} ${type}`),
      ['session.started', 'session.updated', 'session.resumed', 'session.ended', 'recording.sealed'].map(
        (type, at) => `${at + 1} ${type}`,
      ),
    );
    assert.deepEqual(await box.packets(sessionId, 0), voice.sent);
  });

  test('and was away too long ends what it recorded: interrupted, playable, and hung up', async () => {
    await using box = await Box.open({ settings: { REEL_RESUME_LIMIT_MS: '0' } });
    using caller = await Caller.open(box.target);
    const [port = 0] = portsOf((await caller.invite(siprec())).body);
    caller.ack();
    using voice = new Voice(port, 0);
    await voice.say(50);
    assert.ok(await command(box, 'pause', await heard(box, caller)));
    await voice.say(10);
    await killAndRestart(box);

    const events = await box.sessionOf(caller.callId);
    const ended = last(events, 'session.ended');
    assert.equal(`${ended.data.state} ${ended.data.endReason}`, 'CLOSED_ERROR interrupted');
    assert.deepEqual([ended.epoch, events.map(({ version }) => version)], [2, [1, 2, 3, 4, 5]]);
    assert.equal(last(events, 'recording.sealed').data.recovered, true);
    const kept = await box.packets(ended.subject, 0);
    assert.deepEqual(kept, voice.sent.slice(0, 50));
    const [gap] = (await box.manifest(ended.subject)).tracks[0]?.gaps ?? [];
    assert.deepEqual([gap?.cause, gap?.fromMs], ['paused', ended.data.tags?.[0]?.offsetMs]);
    assert.equal(ended.data.tracks[0]?.packets, kept.length);
    await waitFor(() => caller.received.includes('BYE') || undefined, {
      deadlineMs: 30_000,
      describe: 'no BYE',
    });
  });
});
