import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shareFrontDoor } from '../support/shared-front-door.ts';
import { ackText, requestText } from '../support/sip-text.ts';

// RFC 3261 §11.2: OPTIONS is answered as an INVITE would be. Here there is no home, so neither is taken.

const shared = shareFrontDoor({ homes: 0 });

test('where no call can be taken, OPTIONS and INVITE both get 503, and Retry-After bars for a second at most', async () => {
  const caller = await shared.udp();
  caller.send(requestText('OPTIONS', { port: caller.port }));
  assert.equal((await caller.final({ method: 'OPTIONS' })).status, 503);
  const invite = requestText('INVITE', { port: caller.port });
  caller.send(invite);
  const answer = await caller.final({ method: 'INVITE' });
  caller.send(ackText(invite, answer));
  assert.equal(answer.status, 503);
  assert.ok(Number(answer.header('Retry-After') ?? 0) <= 1);
});

test('a BYE, an UPDATE and a PRACK of no dialog get 481, whatever the health', async () => {
  const caller = await shared.udp();
  for (const method of ['BYE', 'UPDATE', 'PRACK']) {
    caller.send(requestText(method, { port: caller.port, to: '<sip:record@127.0.0.1>;tag=gone' }));
    assert.equal((await caller.final({ method })).status, 481, method);
  }
});

test('an INVITE with a To tag of no dialog gets 481', async () => {
  const caller = await shared.udp();
  const invite = requestText('INVITE', { port: caller.port, to: '<sip:record@127.0.0.1>;tag=gone' });
  caller.send(invite);
  const answer = await caller.final();
  caller.send(ackText(invite, answer));
  assert.equal(answer.status, 481);
});
