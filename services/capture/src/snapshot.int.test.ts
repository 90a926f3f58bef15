import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { waitFor } from '@reelstream/testing';
import { Caller } from '@reelstream/testing/callers';
import { Box } from './test-support/box.ts';
import { metadata, oneVoice, siprec, twoVoices } from './test-support/offers.ts';

const withoutMetadata = (...headers: readonly string[]) => ({
  headers: ['Require: siprec', 'Content-Type: application/sdp', ...headers],
  body: twoVoices,
});

const asked = (caller: Caller, count = 1): Promise<readonly string[]> =>
  waitFor(
    () => {
      const requests = caller.receivedTexts.filter((text) => text.includes('requestsnapshot'));

      return requests.length >= count ? requests : undefined;
    },
    { deadlineMs: 30_000, describe: () => `not asked ${count} times: ${caller.received.join(', ')}` },
  );

describe('a snapshot of the metadata', () => {
  let box: Box;
  before(async () => {
    box = await Box.open({ capacity: 40 });
  });
  after(() => box[Symbol.asyncDispose]());

  test('R5: a client without metadata is asked for it, again when it was busy, and no more once it has come', async () => {
    using caller = await Caller.open(box.target);
    caller.answers.push({ status: '500 Server Internal Error', headers: ['Retry-After: 1'] });
    await caller.invite(withoutMetadata());
    caller.ack();
    const [first = '', second = ''] = await asked(caller, 2);
    assert.match(first, /^UPDATE sip:/);
    assert.match(first, /^Content-Type: application\/rs-metadata-request\r$/im);
    assert.match(first, /^Content-Disposition: recording-session\r$/im);
    assert.match(first, /^Contact: <[^>]+>;\+sip\.srs\r$/im);
    assert.match(
      first,
      /<requestsnapshot xmlns="urn:ietf:params:xml:ns:recording:1"><requestreason [^>]*>no metadata received</,
    );
    assert.match(second, /^UPDATE sip:/);
    const document = { headers: ['Content-Type: application/rs-metadata+xml'], body: metadata() };
    await caller.request('UPDATE', document);
    await caller.bye();
    const isEnd = await box.sessionOf(caller.callId);
    const ended = isEnd.find((event) => event.type === 'session.ended');
    assert.ok(ended?.type === 'session.ended');
    assert.equal(ended.data.tracks[0]?.participants[0]?.address, 'sip:alice@example.com');
    assert.deepEqual(ended.data.flags, ['no-metadata']);
    assert.equal(caller.receivedTexts.filter((text) => text.includes('requestsnapshot')).length, 2);
  });

  test('R5: one that does not allow UPDATE is asked by re-INVITE, with the media as they are', async () => {
    using caller = await Caller.open(box.target);
    caller.answers.push({
      status: '200 OK',
      headers: ['Content-Type: application/sdp'],
      body: twoVoices,
    });
    await caller.invite(withoutMetadata('Allow: INVITE, ACK, BYE'));
    caller.ack();
    const [request = ''] = await asked(caller);
    assert.match(request, /^INVITE sip:/);
    assert.match(request, /m=audio [1-9]\d* RTP\/AVP[\s\S]*a=label:2/);
    await waitFor(() => caller.received.includes('ACK') || undefined, {
      deadlineMs: 30_000,
      describe: 'no ACK',
    });
    await caller.bye();
  });

  test('R5: CUBE is never asked, nor a client that sent all', async () => {
    using cube = await Caller.open(box.target);
    await cube.invite(withoutMetadata('Cisco-Guid: 1-2-3-4'));
    cube.ack();
    using whole = await Caller.open(box.target);
    await whole.invite(siprec());
    whole.ack();
    // By the time a third was asked, they would have been, too.
    using other = await Caller.open(box.target);
    await other.invite({ ...withoutMetadata(), body: oneVoice });
    other.ack();
    await asked(other);
    assert.deepEqual([cube.received, whole.received], [[], []]);
    for (const caller of [cube, whole, other]) await caller.bye();
  });
});
