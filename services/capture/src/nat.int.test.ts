import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { waitFor } from '@reelstream/testing';
import { Caller, Voice } from '@reelstream/testing/callers';
import { answered, endOf, markedAddress, portOf } from './test-support/bib.ts';
import { Box } from './test-support/box.ts';
import { natAddress, NatPort } from './test-support/nat.ts';
import { oneVoice, plain } from './test-support/offers.ts';
import { headerOf, Phone } from './test-support/phone.ts';

/** Nobody can reach it: what a client behind a NAT takes for its own. */
const privateAddress = '10.77.0.2';
const privately = (sdp: string): string => sdp.replaceAll('127.0.0.1', privateAddress);

let box: Box;
before(async () => {
  box = await Box.open({ advertise: `127.0.0.5/32=${natAddress}` });
});
after(() => box[Symbol.asyncDispose]());

const stop = (sessionId: string): Promise<unknown> => box.command({ name: 'stop', sessionId });

const sessionIdOf = async (callId: string): Promise<string> => {
  const stored = await box.events(
    (event) =>
      event.type === 'session.updated' && event.data.dialogs.some((dialog) => dialog.callId === callId),
  );

  return (
    stored.find(
      (event) =>
        event.type === 'session.started' && event.data.dialogs.some((dialog) => dialog.callId === callId),
    )?.subject ?? ''
  );
};

for (const [kind, from, offer] of [
  ['a phone', '<sip:phone@10.77.0.2>', plain(privately(oneVoice))],
  ['a leg of a built-in bridge, to which the offer is ours,', markedAddress('near', '991'), {}],
] as const)
  test(`${kind} behind a NAT is told our address out there, and recorded, whatever address its SDP says; our BYE finds it`, async () => {
    using sip = await NatPort.open(box.target.port);
    using caller = await Caller.open(
      { address: natAddress, port: box.target.port },
      from,
      '',
      privateAddress,
    );
    const response = await caller.invite(offer);
    assert.equal(response.status, 200);
    assert.match(response.body, new RegExp(`\\r\\nc=IN IP4 ${natAddress}\\r\\n`));
    assert.match(headerOf(response.text, 'Contact'), new RegExp(`^<sip:${natAddress}:${box.target.port};`));
    assert.match(headerOf(response.text, 'Via'), new RegExp(`${privateAddress}.*;received=127\\.0\\.0\\.5`));
    caller.ack('body' in offer ? undefined : privately(answered));
    using rtp = await NatPort.open(portOf(response));
    using voice = new Voice(portOf(response), 8, natAddress);
    await voice.say(12);
    const update = await caller.request('UPDATE', plain(privately(oneVoice)));
    assert.equal(update.status, 200);
    assert.match(headerOf(update.text, 'Contact'), new RegExp(`^<sip:${natAddress}:`));
    assert.match(update.body, new RegExp(`\\r\\nc=IN IP4 ${natAddress}\\r\\n`));
    const again = await caller.invite(plain(privately(oneVoice)));
    assert.match(headerOf(again.text, 'Contact'), new RegExp(`^<sip:${natAddress}:`));
    caller.ack();
    await stop(await sessionIdOf(caller.callId));
    await waitFor(() => caller.received.includes('BYE') || undefined, {
      deadlineMs: 30_000,
      describe: () => `no BYE among ${caller.received.join(', ')}`,
    });
    const { data } = endOf(await box.sessionOf(caller.callId));
    assert.equal(data.dialogs[0]?.remoteAddress, sip.seenAs);
    assert.equal(data.tracks[0]?.packets, 12);
    assert.notEqual(rtp.seenAs, sip.seenAs);
    assert.deepEqual(await box.packets(data.sessionId, data.tracks[0]?.trackNumber ?? 0), voice.sent);
  });

test('whoever is on our side of the NAT is told the address that we are bound to', async () => {
  using caller = await Caller.open(box.target);
  const response = await caller.invite(plain(oneVoice));
  assert.match(response.body, /\r\nc=IN IP4 127\.0\.0\.1\r\n/);
  assert.match(headerOf(response.text, 'Contact'), /^<sip:127\.0\.0\.1:/);
  caller.ack();
  await caller.bye();
});

test('a call that we place says our address as the called network knows it', async () => {
  await using behind = await Box.open({
    advertise: `127.0.0.0/8=${natAddress}`,
    settings: { REEL_DIAL_DIRECT: 'yes' },
  });
  using phone = await Phone.open();
  const asked = behind.command(
    { name: 'dial', to: phone.uri, media: 'audio', ringLimitMs: 5_000 },
    { limitMs: 10_000 },
  );
  const invite = await phone.received('INVITE');
  assert.match(invite, new RegExp(`\\r\\nc=IN IP4 ${natAddress}\\r\\n`));
  assert.match(headerOf(invite, 'Contact'), new RegExp(`^<sip:${natAddress}:`));
  assert.match(headerOf(invite, 'From'), new RegExp(`^<sip:recorder@${natAddress}>;`));
  phone.respond(invite, '486 Busy Here');
  await asked;
});
