import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import type { DomainEvent, EventOf } from '@reelstream/events';
import { dtlsObstacle } from '@reelstream/rtp';
import { waitFor } from '@reelstream/testing';
import { Caller } from '@reelstream/testing/callers';
import { Box } from './test-support/box.ts';
import { plain, portsOf, siprec, twoVoices } from './test-support/offers.ts';

const ofType = <T extends DomainEvent['type']>(
  events: readonly DomainEvent[],
  type: T,
): EventOf<T>['data'] => {
  const found = events.find((event): event is EventOf<T> => event.type === type);
  assert.ok(found, `no ${type} among ${events.map((event) => event.type).join(', ')}`);

  return found.data;
};

/** RTP as mixers send it, too: contributing sources (RFC 3550 §5.1) behind the header. */
const rtp = (
  sequence: number,
  payloadType: number,
  { ssrc, csrcs = [] }: { readonly ssrc: number; readonly csrcs?: readonly number[] },
): Buffer => {
  const header = Buffer.alloc(12 + 4 * csrcs.length);
  header.set([0x80 | csrcs.length, payloadType]);
  header.writeUInt16BE(sequence & 0xffff, 2);
  header.writeUInt32BE((sequence * 160) >>> 0, 4);
  for (const [place, source] of [ssrc, ...csrcs].entries()) header.writeUInt32BE(source, 8 + 4 * place);

  return Buffer.concat([header, randomBytes(160)]);
};

/** A socket of a sender, and what comes back to it. */
const openSender = async () => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const received: Buffer[] = [];
  socket.on('message', (packet) => received.push(packet));

  return {
    received,
    send: async (port: number, packets: readonly Buffer[]): Promise<void> => {
      for (const packet of packets)
        await new Promise((resolve) => socket.send(packet, port, '127.0.0.1', resolve));
    },
    [Symbol.dispose]: () => void socket.close(),
  };
};

const srs = /^Contact: <[^>]+>;\+sip\.srs\r$/m;

describe('a SIPREC client', () => {
  let box: Box;
  before(async () => {
    box = await Box.open({ capacity: 40 });
  });
  after(() => box[Symbol.asyncDispose]());

  test('R1: finds a recording server: siprec may be required, and each answer with a Contact says so', async () => {
    using caller = await Caller.open(box.target);
    const invited = await caller.invite(siprec());
    caller.ack();
    const invitedAgain = await caller.invite(plain(twoVoices));
    caller.ack();
    const updated = await caller.request('UPDATE', plain(twoVoices));
    using asking = await Caller.open(box.target);
    const asked = await asking.request('OPTIONS');
    for (const answer of [invited, invitedAgain, updated, asked]) {
      assert.equal(answer.status, 200);
      assert.match(answer.text, srs);
    }
    await caller.bye();
  });

  test('R8: may change its SSRC and its payload type, name contributing sources, and hears how its media comes', async () => {
    using caller = await Caller.open(box.target);
    using sender = await openSender();
    // Fast, so that reports come soon.
    const offer = twoVoices.replace('RTP/AVP 0 101\r\n', 'RTP/AVP 0 8 101\r\nb=AS:2000\r\na=rtcp-mux\r\n');
    const answer = await caller.invite(siprec(offer));
    caller.ack();
    const [port = 0] = portsOf(answer.body);
    const series = (from: number, payloadType: number, source: Parameters<typeof rtp>[2]) =>
      Array.from({ length: 20 }, (_, count) => rtp(from + count, payloadType, source));
    const sent = [
      ...series(65_530, 0, { ssrc: 7 }),
      ...series(65_550, 8, { ssrc: 7 }),
      ...series(300, 8, { ssrc: 8, csrcs: [1, 2, 3] }),
    ];
    await sender.send(port, sent);
    const report = await waitFor(
      () => sender.received.find((packet) => packet[1] === 201 && packet.includes(Buffer.from([0x81, 202]))),
      {
        deadlineMs: 30_000,
        describe: () => `no report with a CNAME among ${sender.received.length} packets`,
      },
    );
    await caller.bye();
    const ended = ofType(await box.sessionOf(caller.callId), 'session.ended');
    assert.ok(report.includes(Buffer.from(ended.sessionId)), 'its CNAME is that of the session');
    assert.deepEqual(await box.packets(ended.sessionId, 0), sent);
    const [track] = ended.tracks;
    assert.deepEqual(
      [track?.packets, track?.lost, track?.figures?.ssrcChanges, track?.codecs.map(({ codec }) => codec)],
      [60, 0, 1, ['PCMU', 'PCMA']],
    );
  });

  test('R9: that wants DTLS-SRTP is answered with a fingerprint; without one of its own that counts it is refused and told why', async () => {
    const fingerprint = (hash: string, length: number): string =>
      `a=fingerprint:${hash} ${Array(length).fill('AB').join(':')}\r\n`;
    const secured = (said: string): string =>
      twoVoices
        .replaceAll('RTP/AVP', 'UDP/TLS/RTP/SAVPF')
        .replaceAll('a=sendonly\r\n', `a=sendonly\r\na=setup:actpass\r\n${said}`);
    const [trusted, broken] = [fingerprint('sha-256', 32), fingerprint('sha-1', 20)];
    using refused = await Caller.open(box.target);
    assert.equal((await refused.invite(siprec(secured(broken)))).status, 488);
    const events = await box.events(
      ({ type, data }) => type === 'attempt.refused' && data.callId === refused.callId,
    );
    const cause = dtlsObstacle() === undefined ? 'no-srtp-key' : 'dtls-unsupported';
    assert.equal(ofType(events, 'attempt.refused').cause, cause);
    using half = await Caller.open(box.target);
    const answer = await half.invite(siprec(secured(trusted).replace(trusted, broken)));
    const wanted = dtlsObstacle() === undefined ? 200 : 488;
    assert.equal(answer.status, wanted);
    if (wanted === 488) return;
    half.ack();
    assert.deepEqual(portsOf(answer.body).map(Math.sign), [0, 1]);
    assert.match(answer.body, /a=setup:passive\r\na=fingerprint:sha-256 ([0-9A-F]{2}:){31}/);
    await half.bye();
    const { flags } = ofType(await box.sessionOf(half.callId), 'session.ended');
    assert.deepEqual(flags, ['refused-stream']);
  });

  test('R12: may say what concerns recording-aware user agents, which changes nothing', async () => {
    using caller = await Caller.open(box.target);
    const offer = twoVoices.replaceAll('a=sendonly', 'a=sendonly\r\na=record:paused\r\na=recordpref:off');
    const { headers, body } = siprec(offer);
    const answer = await caller.invite({ headers: [...headers, 'Supported: record-aware'], body });
    caller.ack();
    assert.equal(answer.status, 200);
    assert.doesNotMatch(answer.body, /a=record/);
    assert.equal(answer.body.match(/^a=recvonly\r$/gm)?.length, 2);
    using sender = await openSender();
    const sent = [rtp(1, 0, { ssrc: 5 }), rtp(2, 0, { ssrc: 5 })];
    await sender.send(portsOf(answer.body)[0] ?? 0, sent);
    await caller.bye();
    const ended = ofType(await box.sessionOf(caller.callId), 'session.ended');
    assert.deepEqual([ended.flags, ended.tags], [undefined, undefined]);
    assert.deepEqual(await box.packets(ended.sessionId, 0), sent);
  });

  test('R13: is told by what it sends, be it between the parties, one of them, or the focus of their conference', async () => {
    const { headers, body } = siprec();
    const contentType = headers.slice(-1);
    const roles = [
      // By its metadata alone, by its Contact alone, by what it requires alone.
      { headers: contentType, body },
      plain(twoVoices, 'Contact: <sip:alice@127.0.0.1:5999>;+sip.src'),
      plain(twoVoices, 'Require: siprec', 'Contact: <sip:room@127.0.0.1:5999>;isfocus'),
    ];
    for (const role of roles) {
      using caller = await Caller.open(box.target);
      const answer = await caller.invite(role);
      caller.ack();
      assert.match(answer.text, srs);
      await caller.bye();
      const { controller, tracks } = ofType(await box.sessionOf(caller.callId), 'session.started');
      assert.deepEqual([controller.type, tracks.length], ['siprec', 2]);
    }
  });
});
