import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { connectSip, readInvite } from '@reelstream/sip';
import type { DialogEnd, InviteReceived, SipHandlers } from '@reelstream/sip';
import { startSipServer } from '@reelstream/sip-server';
import { waitFor } from '@reelstream/testing';
import { placeSiprecCall } from '@reelstream/testing/callers';

const listen = (['udp', 'tcp'] as const).map((protocol) => ({ protocol, address: '127.0.0.1', port: 0 }));

const soon = (describe: string) => ({ deadlineMs: 30_000, describe });

/** A SIP server with an application that takes INVITEs; returns its port by transport. */
const startRole = async (stack: AsyncDisposableStack, invite: SipHandlers['invite']) => {
  const server = stack.use(await startSipServer({ listen, secret: 's' }));
  const url = `drachtio://${server.control.host}:${server.control.port}?secret=s`;
  const handlers: SipHandlers = { invite, options: () => ({ status: 200 }) };
  const endpoint = stack.use(await connectSip({ server: url, product: 'test' }, handlers));
  await waitFor(() => (endpoint.connected ? true : undefined), soon('the application did not connect'));

  return (transport: 'udp' | 'tcp'): number =>
    server.addresses.find(({ protocol }) => protocol === transport)?.port ?? 0;
};

for (const transport of ['udp', 'tcp'] as const) {
  test(`the caller is redirected, answered, heard and let go by the embedded SIP server over ${transport}`, async () => {
    await using stack = new AsyncDisposableStack();
    const media = createSocket('udp4');
    stack.defer(() => new Promise<void>((resolve) => media.close(() => resolve())));
    let packets = 0;
    media.on('message', () => (packets += 1));
    media.bind(0, '127.0.0.1');
    await once(media, 'listening');

    const ends: DialogEnd[] = [];
    const invites: InviteReceived[] = [];
    const line = (payloadType: number): string =>
      `m=audio ${media.address().port} RTP/AVP ${payloadType}\r\na=recvonly\r\n`;
    const body = `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n${line(0)}${line(8)}`;
    const homePort = await startRole(stack, (invite) => {
      invites.push(invite);
      void invite.accept({ body }).then((dialog) => dialog.onEnded((end) => ends.push(end)));
    });
    const pilotPort = await startRole(stack, (invite) => {
      const uri = `sip:record@127.0.0.1:${homePort(transport)};transport=${transport}`;
      void invite.redirect([{ uri, q: 1 }]);
    });

    const samples = new Int16Array(800);
    const call = await placeSiprecCall({
      target: `sip:record@127.0.0.1:${pilotPort(transport)}`,
      transport,
      pace: 10,
      legs: [
        { codec: 'PCMU', audio: { samples }, address: 'sip:agent@example.com', name: 'Agent' },
        { codec: 'PCMA', audio: { samples }, address: 'sip:customer@example.com', name: 'Customer' },
      ],
    });
    await call.mediaSent;
    await waitFor(() => (packets === 10 ? true : undefined), soon('not all packets arrived'));
    assert.equal(await call.hangUp(), 200);
    await waitFor(() => ends[0], soon('the dialog did not end'));

    assert.equal(ends[0]?.cause, 'bye');
    const info = invites[0]?.info;
    assert.equal(info?.callId, call.callId);
    const invitation = info && readInvite(info);
    assert.deepEqual(invitation?.problems, []);
    assert.deepEqual(
      invitation?.offer?.media.map(({ label }) => label),
      ['1', '2'],
    );
    assert.equal(invitation?.metadata?.sessions[0]?.id, call.siprecSessionId);
    assert.equal(invitation?.metadata?.groups[0]?.id, call.groupId);
    assert.equal(invitation?.sessionId?.local, call.sipSessionId);
    assert.deepEqual(
      invitation?.metadata?.participants.map(({ names }) => names[0]?.name),
      ['Agent', 'Customer'],
    );
  });
}
