import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitFor } from '@reelstream/testing';
import { shareFrontDoor } from '../support/shared-front-door.ts';
import { ackText, requestText, unique } from '../support/sip-text.ts';

// RFC 3261 §18 and §7.5, RFC 3581, RFC 5626 §4.4.1.

const shared = shareFrontDoor();

test('received is added where sent-by is not where the request came from', async () => {
  const caller = await shared.udp();
  const options = requestText('OPTIONS', { port: caller.port, viaParams: ';rport' });
  caller.send(options.replace(`127.0.0.1:${caller.port};branch`, `phone.invalid:${caller.port};branch`));
  assert.match((await caller.final()).header('Via') ?? '', /phone\.invalid:\d+;.*received=127\.0\.0\.1/);
});

test('rport is filled in, and the answer goes to where the request came from', async () => {
  const caller = await shared.udp();
  caller.send(requestText('OPTIONS', { port: 9, viaParams: ';rport' }));
  const via = (await caller.final()).header('Via') ?? '';
  assert.match(via, new RegExp(`;rport=${caller.port}\\b`));
  assert.match(via, /;received=127\.0\.0\.1/);
});

test('an answer comes from the address and port that the request was sent to', async () => {
  const caller = await shared.udp();
  caller.send(requestText('OPTIONS', { port: caller.port, viaParams: ';rport' }));
  assert.equal((await caller.final()).from, shared.door.port);
});

test('what stands in a datagram behind Content-Length is dropped; one that is shorter gets 400', async () => {
  const caller = await shared.udp();
  const more = requestText('OPTIONS', { port: caller.port, callId: 'with-more' });
  caller.send(`${more}${requestText('OPTIONS', { port: caller.port, callId: 'dropped' })}`);
  assert.equal((await caller.final({ callId: 'with-more' })).status, 200);
  const short = requestText('OPTIONS', { port: caller.port, callId: 'too-short' });
  caller.send(short.replace('Content-Length: 0', 'Content-Length: 7'));
  assert.equal((await caller.final({ callId: 'too-short' })).status, 400);
  assert.ok(!caller.answers.some(({ header }) => header('Call-ID') === 'dropped'));
});

test('over UDP, a request may lack Content-Length and begin with empty lines', async () => {
  const caller = await shared.udp();
  const options = requestText('OPTIONS', { port: caller.port }).replace('Content-Length: 0\r\n', '');
  caller.send(`\r\n\r\n${options}`);
  assert.equal((await caller.final()).status, 200);
});

test('over TCP, an INVITE cut in two at any byte is redirected on the same connection', async () => {
  const caller = await shared.tcp();
  const parts = { port: caller.port, transport: 'TCP' } as const;
  const { length } = requestText('INVITE', { ...parts, callId: 'cut-0000', branch: 'z9hG4bKcut-0000' });
  for (let at = 1; at < length; at += 1) {
    const callId = `cut-${String(at).padStart(4, '0')}`;
    const invite = requestText('INVITE', { ...parts, callId, branch: `z9hG4bK${callId}` });
    await caller.write(invite.slice(0, at));
    await caller.write(invite.slice(at));
    const answer = await caller.final(callId);
    assert.equal(answer.status, 302, `cut at ${at}`);
    await caller.write(ackText(invite, answer));
  }
  for (let at = 1; at < length; at += 1)
    assert.equal(await shared.door.placements(`cut-${String(at).padStart(4, '0')}`), 1, `cut at ${at}`);
});

test('over TCP, an INVITE byte by byte is redirected', async () => {
  const caller = await shared.tcp();
  const callId = unique('bytes');
  const invite = requestText('INVITE', { port: caller.port, transport: 'TCP', callId, body: 'v=0\r\n' });
  for (const byte of invite) await caller.write(byte);
  const answer = await caller.final(callId);
  await caller.write(ackText(invite, answer));
  assert.equal(answer.status, 302);
});

test('over TCP, a hundred requests in one write, bodies and all, are answered each', async () => {
  const caller = await shared.tcp();
  const callIds = Array.from({ length: 100 }, (_, index) => unique(`pipelined-${index}-`));
  const invites = callIds.map((callId, index) =>
    requestText('INVITE', {
      port: caller.port,
      transport: 'TCP',
      callId,
      // A body that looks like a message ends where its length says.
      body: `v=0\r\n${'OPTIONS sip:x SIP/2.0\r\n\r\n'.repeat(index % 4)}`,
    }),
  );
  await caller.write(invites.join(''));
  for (const [index, callId] of callIds.entries()) {
    const answer = await caller.final(callId);
    assert.equal(answer.status, 302);
    await caller.write(ackText(invites[index] ?? '', answer));
  }
  assert.equal(caller.answers.filter(({ status }) => status >= 200).length, 100);
});

test('over TCP, a 302 is not repeated while its ACK is missing', async () => {
  const caller = await shared.tcp();
  const callId = unique('unacknowledged');
  await caller.write(requestText('INVITE', { port: caller.port, transport: 'TCP', callId }));
  const first = await caller.final(callId);
  // Over UDP a call of the same moment has had two repeats by the time of its third 302.
  const udp = await shared.udp();
  const invite = requestText('INVITE', { port: udp.port });
  udp.send(invite);
  await udp.answer(() => udp.answers.filter(({ status }) => status === 302).length === 3);
  udp.send(ackText(invite, await udp.final()));
  assert.deepEqual(
    caller.answers.filter(({ status }) => status >= 200),
    [first],
  );
});

test('over TCP, a double CRLF is answered by one', async () => {
  const caller = await shared.tcp();
  await caller.write('\r\n\r\n');
  await waitFor(() => caller.pongs === 1 || undefined, { deadlineMs: 30_000, describe: 'no pong' });
});
