import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { DomainEvent } from '@reelstream/events';
import { CallError, Caller, SrtpSender, placeSiprecCall } from '@reelstream/testing/callers';
import type { SrtpMaster } from '@reelstream/testing/callers';
import { Box } from './test-support/box.ts';
import { plain, portsOf } from './test-support/offers.ts';
import {
  cryptoLine,
  last,
  legOf,
  masterOf,
  noise,
  offerOf,
  packetAt,
  sameBytes,
  SrtpPhone,
} from './test-support/srtp.ts';

describe('without TLS', () => {
  let box: Box;
  before(async () => {
    box = await Box.open({ capacity: 20 });
  });
  after(() => box[Symbol.asyncDispose]());
  const suite = 'AES_CM_128_HMAC_SHA1_80';

  test('a call whose keys anybody could read is refused, and it is told why', async () => {
    using caller = await Caller.open(box.target);
    const answer = await caller.invite(plain(offerOf('RTP/SAVP', cryptoLine(suite, masterOf(suite)))));
    assert.equal(answer.status, 488);
    const events = await box.events(
      (event) => event.type === 'attempt.refused' && event.data.callId === caller.callId,
    );
    assert.equal(last(events, 'attempt.refused').data.cause, 'sdes-without-tls');
  });

  test('of two streams the encrypted one is refused, the other recorded', async () => {
    using caller = await Caller.open(box.target);
    const offer = `${offerOf('RTP/SAVP', cryptoLine(suite, masterOf(suite)))}m=audio 40002 RTP/AVP 0\r\na=sendonly\r\n`;
    const answer = await caller.invite(plain(offer));
    assert.equal(answer.status, 200);
    caller.ack();
    const [refused, taken] = portsOf(answer.body);
    assert.equal(refused, 0);
    assert.ok((taken ?? 0) > 0);
    await caller.bye();
  });

  test('keys beside plain RTP are passed over, and a peer that can fall back is let fall back', async () => {
    for (const [profile, headers] of [
      ['RTP/AVP', []],
      ['RTP/SAVP', ['Supported: X-cisco-srtp-fallback']],
    ] as const) {
      using caller = await Caller.open(box.target);
      const offer = offerOf(profile, cryptoLine(suite, masterOf(suite)));
      const answer = await caller.invite(plain(offer, ...headers));
      assert.equal(answer.status, 200);
      caller.ack();
      assert.match(answer.body, /m=audio \d+ RTP\/AVP 0/);
      assert.doesNotMatch(answer.body, /crypto/);
      await caller.bye();
    }
  });

  test('the test caller is told of the refusal, too', async () => {
    const { address, port } = box.target;
    await assert.rejects(
      placeSiprecCall({
        target: `sip:record@${address}:${port}`,
        legs: [legOf('PCMU', noise(2), 'alice')],
        srtp: suite,
      }),
      (error) => error instanceof CallError && error.status === 488,
    );
  });
});

describe('where it was configured that keys may come without TLS', () => {
  let box: Box;
  before(async () => {
    box = await Box.open({ capacity: 20, settings: { REEL_SDES_WITHOUT_TLS: 'yes' } });
  });
  after(() => box[Symbol.asyncDispose]());
  const suite = 'AES_CM_128_HMAC_SHA1_32';

  const open = async (master: SrtpMaster, lifetime?: string) => {
    const caller = await Caller.open(box.target);
    const answer = await caller.invite(plain(offerOf('RTP/SAVP', cryptoLine(suite, master, lifetime))));
    assert.equal(answer.status, 200);
    assert.match(answer.body, /m=audio \d+ RTP\/SAVP 0\r\n/);
    assert.match(answer.body, /a=crypto:3 AES_CM_128_HMAC_SHA1_32 inline:[A-Za-z0-9+/]{40}\r\n/);
    caller.ack();

    return { caller, answer, phone: new SrtpPhone(portsOf(answer.body)[0] ?? 0) };
  };

  test('loss, reordering and replay around a wrap: what came is there, once', async () => {
    const master = masterOf(suite);
    const { caller: opened, phone: its } = await open(master);
    using caller = opened;
    using phone = its;
    const sender = new SrtpSender(suite, master);
    const protect = (place: number): Buffer => sender.protectRtp(packetAt(place), Math.floor(place / 65_536));
    const places = Array.from({ length: 400 }, (_each, at) => 65_336 + at).filter((place) => place % 5 !== 0);
    // Neighbours trade places, those around the wrap too; each fourth packet comes twice, each tenth twice and late.
    for (let at = 0; at + 1 < places.length; at += 2)
      [places[at], places[at + 1]] = [places[at + 1]!, places[at]!];
    for (const [at, place] of places.entries()) {
      await phone.send(protect(place));
      if (at % 4 === 0) await phone.send(protect(place));
      if (at % 10 === 9) await phone.send(protect(places[at - 9]!));
    }
    await phone.send(randomBytes(200).fill(0x80, 0, 1).fill(0, 1, 2));
    await caller.bye();
    const { subject, data } = last(await box.sessionOf(caller.callId), 'session.ended');
    const numbers = (packets: readonly Buffer[]): string =>
      packets.map((packet) => packet.readUInt16BE(2)).join(' ');
    const kept = await box.packets(subject, 0);
    assert.equal(numbers(kept), numbers(places.map(packetAt)));
    sameBytes(kept, places.map(packetAt));
    assert.equal(data.tracks[0]?.packets, places.length);
  });

  test('a call under another key than it said is kept as one of which nothing could be read', async () => {
    const { caller: opened, phone: its } = await open(masterOf(suite));
    using caller = opened;
    using phone = its;
    const sender = new SrtpSender(suite, masterOf(suite));
    for (let place = 0; place < 20; place += 1) await phone.send(sender.protectRtp(packetAt(place), 0));
    await caller.bye();
    const { data } = last(await box.sessionOf(caller.callId), 'session.ended');
    assert.deepEqual(data.flags, ['srtp-auth-failed']);
    assert.equal(data.tracks[0]?.figures?.undecryptable, 20);
    assert.equal(`${data.state} ${data.endReason}`, 'CLOSED_ERROR no-media');
    assert.equal(data.tracks[0]?.encryption, `sdes:${suite}`);
  });

  test('a key that serves for more packets than it may is told, and what came under it is recorded', async () => {
    const master = masterOf(suite);
    const { caller: opened, phone: its } = await open(master, '12');
    using caller = opened;
    using phone = its;
    const sender = new SrtpSender(suite, master);
    const places = Array.from({ length: 20 }, (_each, place) => place);
    for (const place of places) await phone.send(sender.protectRtp(packetAt(place), 0));
    await caller.bye();
    const { subject, data } = last(await box.sessionOf(caller.callId), 'session.ended');
    assert.deepEqual(data.flags, ['srtp-key-outlived']);
    assert.equal(data.tracks[0]?.figures?.overLifetime, 8);
    sameBytes(await box.packets(subject, 0), places.map(packetAt));
  });

  test('new keys in the middle: nothing is lost, whether the peer counts on or begins anew', async () => {
    const masters = [masterOf(suite), masterOf(suite), masterOf(suite)] as const;
    const { caller: opened, answer, phone: its } = await open(masters[0]);
    using caller = opened;
    using phone = its;
    const ours = /inline:(\S+)/.exec(answer.body)?.[1];
    const sent: Buffer[] = [];
    const say = async (master: SrtpMaster, from: number, roc: number): Promise<void> => {
      const sender = new SrtpSender(suite, master);
      for (let place = from; place < from + 20; place += 1) {
        sent.push(packetAt(place));
        await phone.send(sender.protectRtp(packetAt(place), place < 65_536 ? 0 : roc));
      }
    };
    const rekey = async (master: SrtpMaster): Promise<void> => {
      const renewed = await caller.invite(plain(offerOf('RTP/SAVP', cryptoLine(suite, master))));
      assert.equal(renewed.status, 200);
      assert.equal(/inline:(\S+)/.exec(renewed.body)?.[1], ours, 'our key stays');
      caller.ack();
    };
    await say(masters[0], 65_526, 1);
    await rekey(masters[1]);
    await say(masters[0], 65_546, 1);
    await say(masters[1], 65_566, 1);
    await rekey(masters[2]);
    await say(masters[2], 65_586, 0);
    await caller.bye();
    const { subject } = last(await box.sessionOf(caller.callId), 'session.ended');
    sameBytes(await box.packets(subject, 0), sent);
  });

  test('a peer that leaves the offer to us is offered keys beside plain RTP, and may take them', async () => {
    const master = masterOf(suite);
    using caller = await Caller.open(box.target);
    const offered = await caller.invite();
    assert.match(offered.body, /m=audio \d+ RTP\/AVP /);
    const tag = /a=crypto:(\d) AES_CM_128_HMAC_SHA1_32 /.exec(offered.body)?.[1] ?? '';
    caller.ack(offerOf('RTP/AVP', cryptoLine(suite, master).replace(':3 ', `:${tag} `)));
    using phone = new SrtpPhone(portsOf(offered.body)[0] ?? 0);
    const isTold = (event: DomainEvent): boolean =>
      event.type === 'session.updated' && event.data.tracks[0]?.encryption === `sdes:${suite}`;
    await box.events(isTold);
    const sender = new SrtpSender(suite, master);
    for (let place = 0; place < 10; place += 1) await phone.send(sender.protectRtp(packetAt(place), 0));
    await caller.bye();
    const { subject } = last(await box.sessionOf(caller.callId), 'session.ended');
    sameBytes(
      await box.packets(subject, 0),
      Array.from({ length: 10 }, (_each, place) => packetAt(place)),
    );
  });
});
