import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import type { DomainEvent } from '@reelstream/events';
import { waitFor } from '@reelstream/testing';
import { Caller, Voice } from '@reelstream/testing/callers';
import { Box } from './test-support/box.ts';
import { plain, siprec } from './test-support/offers.ts';

const sdp = (...lines: readonly string[]): string =>
  ['v=0', 'o=src 1 1 IN IP4 192.0.2.44', 's=-', 'c=IN IP4 192.0.2.44', 't=0 0', ...lines, ''].join('\r\n');

/** One voice that may be sent as three codecs, over one port for RTP and RTCP; fast, so that reports come soon. */
const voice = sdp(
  'm=audio 40000 RTP/AVP 18 9 0 101',
  'b=AS:2000',
  'a=rtpmap:18 G729/8000',
  'a=fmtp:18 annexb=no',
  'a=rtpmap:101 telephone-event/8000',
  'a=fmtp:101 0-16',
  'a=ptime:20',
  'a=rtcp-mux',
  'a=sendonly',
  'a=label:1',
);

const video = [
  'm=video 40002 RTP/AVP 97',
  'a=rtpmap:97 H264/90000',
  'a=fmtp:97 profile-level-id=42801F;packetization-mode=1;sprop-parameter-sets=Z0IACpZTBYmI,aMljiA==',
  'a=rtcp-fb:* nack pli',
  'a=rtcp-mux',
  'a=sendonly',
  'a=label:2',
];

/** Sends RTP from one socket, as from behind a NAT: not from where the SDP says. */
const openSender = async () => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const received: Buffer[] = [];
  socket.on('message', (packet) => received.push(packet));
  let sequence = 0;

  return {
    received,
    send: async (port: number, payloadType: number, timestamp: number, payload: Buffer): Promise<void> => {
      const header = Buffer.alloc(12);
      header.set([0x80, payloadType]);
      header.writeUInt16BE(sequence++, 2);
      header.writeUInt32BE(timestamp, 4);
      header.writeUInt32BE(77, 8);
      await new Promise((resolve) =>
        socket.send(Buffer.concat([header, payload]), port, '127.0.0.1', resolve),
      );
    },
    [Symbol.dispose]: () => void socket.close(),
  };
};

const portsIn = (answer: string): number[] =>
  [...answer.matchAll(/^m=\w+ (\d+)/gm)].map(([, port]) => Number(port));

const codecsOf = (event: DomainEvent): (string | number | undefined)[] =>
  event.type === 'session.ended'
    ? (event.data.tracks[0]?.codecs ?? []).flatMap(({ codec, ptimeMs }) => [codec, ptimeMs])
    : [];

describe('the media of a call', () => {
  let box: Box;
  before(async () => {
    box = await Box.open({ capacity: 10 });
  });
  after(() => box[Symbol.asyncDispose]());

  test('is what its packets say: codecs and packet times that change, tones, and figures of how it came', async () => {
    using caller = await Caller.open(box.target);
    using sender = await openSender();
    const answer = await caller.invite(siprec(voice));
    caller.ack();
    assert.match(answer.body, /a=rtcp-mux/);
    assert.match(answer.body, /a=fmtp:18 annexb=no\r/);
    const [port = 0] = portsIn(answer.body);
    let timestamp = 0;
    const say = async (count: number, payloadType: number, ticks: number): Promise<void> => {
      for (let n = 0; n < count; n++) {
        await sender.send(port, payloadType, timestamp, Buffer.alloc(20, n));
        timestamp += ticks;
      }
    };
    await say(20, 18, 160);
    await box.events(({ type, data }) => type === 'session.updated' && data.tracks[0]?.codec === 'G729');
    await say(5, 101, 0);
    await say(20, 18, 320);
    await say(20, 9, 160);
    await box.events(({ type, data }) => type === 'session.updated' && data.tracks[0]?.codec === 'G722');
    await waitFor(() => (sender.received.length > 0 ? true : undefined), {
      deadlineMs: 30_000,
      describe: () => 'no receiver report came',
    });
    await caller.bye();
    const events = await box.sessionOf(caller.callId);
    const ended = events.find(({ type }) => type === 'session.ended');
    assert.ok(ended?.type === 'session.ended');
    assert.deepEqual(codecsOf(ended), ['G729', 20, 'G729', 40, 'G722', 20]);
    const { figures, packets } = ended.data.tracks[0] ?? {};
    assert.equal(packets, 65);
    assert.deepEqual(
      [figures?.expected, figures?.missing, figures?.duplicates, figures?.strays],
      [65, 0, 0, 0],
    );
    assert.ok((figures?.mos ?? 0) > 1 && (figures?.mos ?? 5) < 4.2);
    const report = sender.received[0];
    assert.deepEqual([report?.[1], report?.readUInt32BE(8)], [201, 77]);
    const sealed = events.find(({ type }) => type === 'recording.sealed');
    assert.ok(sealed?.type === 'recording.sealed');
    assert.equal(sealed.data.figures?.[0]?.figures.expected, 65);
  });

  test('is asked for a picture where it is video, and kept with what a decoder needs', async () => {
    using caller = await Caller.open(box.target);
    using sender = await openSender();
    const answer = await caller.invite(siprec(`${voice}${video.join('\r\n')}\r\n`));
    caller.ack();
    assert.match(answer.body, /a=rtcp-fb:\* nack pli/);
    assert.match(answer.body, /a=fmtp:97 profile-level-id=42801F;packetization-mode=1\r/);
    const [, port = 0] = portsIn(answer.body);
    await sender.send(port, 97, 0, Buffer.from([0x41, 1, 2, 3]));
    await waitFor(() => sender.received.find((packet) => packet.includes(Buffer.from([0x81, 206, 0, 2]))), {
      deadlineMs: 30_000,
      describe: () => 'no PLI came',
    });
    await caller.bye();
    const events = await box.sessionOf(caller.callId);
    const { tracks } = await box.manifest(events[0]?.subject ?? '');
    assert.match(tracks[1]?.codecs[0]?.fmtp ?? '', /sprop-parameter-sets=Z0IACpZTBYmI,aMljiA==/);
  });

  test('may be a message with a picture of VP8, kept packet for packet', async () => {
    using caller = await Caller.open(box.target);
    const offer = sdp('m=audio 40000 RTP/AVP 0', 'm=video 40002 RTP/AVP 98', 'a=rtpmap:98 VP8/90000');
    const answer = await caller.invite(plain(offer));
    caller.ack();
    const [voicePort = 0, picturePort = 0] = portsIn(answer.body);
    using voice = new Voice(voicePort, 0);
    using picture = new Voice(picturePort, 98);
    await voice.say(10);
    await picture.say(10);
    await caller.bye();
    const events = await box.sessionOf(caller.callId);
    const ended = events.find(({ type }) => type === 'session.ended');
    assert.ok(ended?.type === 'session.ended');
    assert.deepEqual(
      ended.data.tracks.map(({ mediaType, codec }) => [mediaType, codec]),
      [
        ['audio', 'PCMU'],
        ['video', 'VP8'],
      ],
    );
    assert.deepEqual(await box.packets(ended.subject, 0), voice.sent);
    assert.deepEqual(await box.packets(ended.subject, 1), picture.sent);
  });
});
