import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { DomainEvent, EventOf } from '@reelstream/events';
import { Caller, Voice } from '@reelstream/testing/callers';
import { Box } from './test-support/box.ts';
import { plain, portsOf, twoForked } from './test-support/offers.ts';

const guid = '0744168064-3846967276-2147483648-0167772160';

const parties = (agent: string, customer: string): readonly string[] => [
  `Cisco-Guid: ${guid}`,
  'Min-SE: 1800',
  'User-Agent: Cisco-SIPGateway/IOS-17.6.1',
  'Allow: INVITE, OPTIONS, BYE, CANCEL, ACK, PRACK, UPDATE, REFER, SUBSCRIBE, NOTIFY, INFO, REGISTER',
  `X-Cisco-Recording-Participant: sip:1777@10.1.1.1;media-index="${agent}"`,
  `X-Cisco-Recording-Participant: sip:1708@10.1.1.2;media-index="${customer}"`,
];

const picture = (port: number): string =>
  [
    `m=video ${port} RTP/AVP 97`,
    'a=rtpmap:97 H264/90000',
    'a=fmtp:97 profile-level-id=42801E;packetization-mode=0',
    'a=sendonly',
    '',
  ].join('\r\n');

const voicesAndPictures = twoForked + picture(40_004) + picture(40_006);

const startOf = (events: readonly DomainEvent[]): EventOf<'session.started'>['data'] => {
  const started = events.find(({ type }) => type === 'session.started');
  assert.ok(started?.type === 'session.started');

  return started.data;
};

const endOf = (events: readonly DomainEvent[]): EventOf<'session.ended'>['data'] => {
  const ended = events.find(({ type }) => type === 'session.ended');
  assert.ok(ended?.type === 'session.ended');

  return ended.data;
};

/** CUBE names no user in From, and takes no request of ours. */
const openCube = (box: Box): Promise<Caller> => Caller.open(box.target, '<sip:127.0.0.1>');

/** One for each line of an answer. */
const speakers = (open: DisposableStack, sdp: string): readonly Voice[] =>
  portsOf(sdp).map((port, index) => open.use(new Voice(port, index < 2 ? 0 : 97)));

const assertKept = async (box: Box, sessionId: string, voices: readonly Voice[]): Promise<void> => {
  for (const [track, voice] of voices.entries())
    assert.deepEqual(await box.packets(sessionId, track), voice.sent, `track ${track}`);
};

const heardOn = ({ tracks }: Pick<EventOf<'session.ended'>['data'], 'tracks'>) =>
  tracks.map(({ mediaType, codec, participants }) => [
    mediaType,
    codec,
    ...participants.map(({ address, leftAt }) => `${address}${leftAt === undefined ? '' : ', left'}`),
  ]);

describe('media that CUBE forks', () => {
  let box: Box;
  before(async () => {
    box = await Box.open({ capacity: 40 });
  });
  after(() => box[Symbol.asyncDispose]());

  test('on two lines is a session by its GUID, each party on the line that is theirs', async () => {
    using open = new DisposableStack();
    using caller = await openCube(box);
    // The parties the other way round than the lines: what counts is the index.
    const answer = await caller.invite(plain(twoForked, ...parties('1', '0')));
    caller.ack();
    assert.equal(answer.body.match(/^a=recvonly\r$/gm)?.length, 2);
    assert.doesNotMatch(answer.body, /a=label/);
    const voices = speakers(open, answer.body);
    for (const voice of voices) await voice.say(12);
    await caller.bye();
    const events = await box.sessionOf(caller.callId);
    const { controller, correlation, dialogs } = startOf(events);
    assert.deepEqual([controller.type, correlation], ['cube', { ciscoGuid: guid }]);
    assert.equal(dialogs[0]?.fromUri, 'sip:127.0.0.1');
    const ended = endOf(events);
    assert.deepEqual(heardOn(ended), [
      ['audio', 'PCMU', 'sip:1708@10.1.1.2'],
      ['audio', 'PCMU', 'sip:1777@10.1.1.1'],
    ]);
    assert.deepEqual([ended.state, ended.endReason, ended.flags], ['CLOSED_NORMAL', 'bye', undefined]);
    await assertKept(box, ended.sessionId, voices);
    assert.deepEqual(caller.received, []);
  });

  test('on four lines gives each party their voice and their picture', async () => {
    using open = new DisposableStack();
    using caller = await openCube(box);
    const answer = await caller.invite(plain(voicesAndPictures, ...parties('0 2', '1 3')));
    caller.ack();
    assert.deepEqual(answer.body.match(/^m=\w+/gm), ['m=audio', 'm=audio', 'm=video', 'm=video']);
    assert.equal(new Set(portsOf(answer.body)).size, 4);
    const streams = speakers(open, answer.body);
    for (const stream of streams) await stream.say(12);
    await caller.bye();
    const ended = endOf(await box.sessionOf(caller.callId));
    assert.deepEqual(heardOn(ended), [
      ['audio', 'PCMU', 'sip:1777@10.1.1.1'],
      ['audio', 'PCMU', 'sip:1708@10.1.1.2'],
      ['video', 'H264', 'sip:1777@10.1.1.1'],
      ['video', 'H264', 'sip:1708@10.1.1.2'],
    ]);
    assert.equal(ended.flags, undefined);
    await assertKept(box, ended.sessionId, streams);
    assert.deepEqual(caller.received, []);
  });

  test('goes on under another codec after a re-INVITE, without losing a packet', async () => {
    using open = new DisposableStack();
    using caller = await openCube(box);
    const answer = await caller.invite(plain(twoForked, ...parties('0', '1')));
    caller.ack();
    const voices = speakers(open, answer.body);
    for (const voice of voices) await voice.say(20);
    const inG729 = twoForked
      .replaceAll('RTP/AVP 0 101', 'RTP/AVP 18 101')
      .replaceAll('a=rtpmap:0 PCMU/8000', 'a=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no');
    const changed = await caller.invite(plain(inG729, ...parties('0', '1')));
    caller.ack();
    assert.deepEqual(portsOf(changed.body), portsOf(answer.body));
    assert.equal(changed.body.match(/^m=audio \d+ RTP\/AVP 18 101\r$/gm)?.length, 2);
    for (const voice of voices) {
      voice.payloadType = 18;
      await voice.say(30);
    }
    await caller.bye();
    const ended = endOf(await box.sessionOf(caller.callId));
    for (const { codec, codecs, packets, lost, participants } of ended.tracks) {
      assert.deepEqual([codec, packets, lost, participants.length], ['G729', 50, 0, 1]);
      assert.deepEqual(
        codecs.map((span) => [span.codec, span.payloadType]),
        [
          ['PCMU', 0],
          ['G729', 18],
        ],
      );
      assert.ok(codecs[0]?.to !== undefined && codecs[0].to <= (codecs[1]?.from ?? ''));
    }
    assert.equal(ended.flags, undefined);
    await assertKept(box, ended.sessionId, voices);
    assert.deepEqual(caller.received, []);
  });

  test('gets pictures by a re-INVITE that names the parties anew, and loses them by another', async () => {
    using open = new DisposableStack();
    using caller = await openCube(box);
    const answer = await caller.invite(plain(twoForked, ...parties('0', '1')));
    caller.ack();
    const wider = await caller.invite(plain(voicesAndPictures, ...parties('0 2', '1 3')));
    caller.ack();
    assert.deepEqual(portsOf(wider.body).slice(0, 2), portsOf(answer.body));
    const streams = speakers(open, wider.body);
    for (const stream of streams) await stream.say(12);
    const narrower = voicesAndPictures.replaceAll(/m=video \d+/g, 'm=video 0');
    const rest = await caller.invite(plain(narrower, ...parties('0', '1')));
    caller.ack();
    assert.deepEqual(portsOf(rest.body), [...portsOf(answer.body), 0, 0]);
    for (const voice of streams.slice(0, 2)) await voice.say(12);
    await caller.bye();
    const ended = endOf(await box.sessionOf(caller.callId));
    assert.deepEqual(heardOn(ended), [
      ['audio', 'PCMU', 'sip:1777@10.1.1.1'],
      ['audio', 'PCMU', 'sip:1708@10.1.1.2'],
      ['video', 'H264', 'sip:1777@10.1.1.1, left'],
      ['video', 'H264', 'sip:1708@10.1.1.2, left'],
    ]);
    assert.deepEqual(
      ended.tags?.map(({ name, trackNumber }) => `${name} ${trackNumber}`),
      ['TrackInactive 2', 'TrackInactive 3'],
    );
    await assertKept(box, ended.sessionId, streams);
    assert.deepEqual(caller.received, []);
  });

  test('that gives a payload type another codec goes on as other tracks, so that both can be read', async () => {
    using open = new DisposableStack();
    using caller = await openCube(box);
    const under = (encoding: string): string =>
      twoForked
        .replaceAll('RTP/AVP 0 101', 'RTP/AVP 96 101')
        .replaceAll('a=rtpmap:0 PCMU/8000', `a=rtpmap:96 ${encoding}`);
    const answer = await caller.invite(plain(under('iLBC/8000'), ...parties('0', '1')));
    caller.ack();
    const changed = await caller.request('UPDATE', plain(under('opus/48000/2')));
    const repeated = await caller.request('UPDATE', plain(under('opus/48000/2')));
    assert.deepEqual(portsOf(repeated.body), portsOf(changed.body));
    const voices = [answer, changed].flatMap(({ body }) => speakers(open, body));
    for (const voice of voices) {
      voice.payloadType = 96;
      await voice.say(10);
    }
    await caller.bye();
    const ended = endOf(await box.sessionOf(caller.callId));
    assert.deepEqual(heardOn(ended), [
      ['audio', 'iLBC', 'sip:1777@10.1.1.1, left'],
      ['audio', 'iLBC', 'sip:1708@10.1.1.2, left'],
      ['audio', 'opus', 'sip:1777@10.1.1.1'],
      ['audio', 'opus', 'sip:1708@10.1.1.2'],
    ]);
    const { tracks } = await box.manifest(ended.sessionId);
    assert.deepEqual(
      tracks.map(({ codecs }) => codecs[0]?.codec),
      ['iLBC', 'iLBC', 'opus', 'opus'],
    );
    await assertKept(box, ended.sessionId, voices);
  });

  test('names parties by indexes that make no sense: recorded all the same, and nobody is told to be heard where they are not', async () => {
    using open = new DisposableStack();
    using caller = await openCube(box);
    const answer = await caller.invite(plain(twoForked, ...parties('7 x 99999999999', '1 1 -')));
    caller.ack();
    const voices = speakers(open, answer.body);
    for (const voice of voices) await voice.say(5);
    const held = await caller.invite(plain(twoForked.replaceAll('a=sendonly', 'a=inactive')));
    caller.ack();
    assert.equal(held.body.match(/^a=inactive\r$/gm)?.length, 2);
    const back = await caller.invite(plain(twoForked));
    caller.ack();
    assert.deepEqual(portsOf(back.body), portsOf(answer.body));
    for (const voice of voices) await voice.say(5);
    await caller.bye();
    const ended = endOf(await box.sessionOf(caller.callId));
    assert.deepEqual(heardOn(ended), [
      ['audio', 'PCMU'],
      ['audio', 'PCMU', 'sip:1708@10.1.1.2'],
    ]);
    assert.deepEqual(
      ended.tags?.map(({ name, trackNumber }) => `${name} ${trackNumber}`),
      ['TrackInactive 0', 'TrackInactive 1', 'TrackActive 0', 'TrackActive 1'],
    );
    await assertKept(box, ended.sessionId, voices);
  });
});
