import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { waitFor } from '@reelstream/testing';
import { LossyRelay } from '../support/lossy-relay.ts';
import { shareFrontDoor } from '../support/shared-front-door.ts';
import { ackText, readAnswer, requestText, unique } from '../support/sip-text.ts';
import type { Answer } from '../support/sip-text.ts';

// RFC 3261 §17: what both sides repeat makes up for what the network loses.

const shared = shareFrontDoor();
const calls = 200;

/**
 * Places all calls at once as §17.1.1.2 has it, only quicker: each INVITE is repeated until an answer comes, and every
 * final answer is acknowledged. Resolves with the final answers of each call once all have had one.
 */
const placeAll = async (
  callIds: readonly string[],
  server: number,
): Promise<ReadonlyMap<string, Answer[]>> => {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  const send = (text: string): void => socket.send(text, server, '127.0.0.1');
  const invites = new Map(
    callIds.map((callId) => [callId, requestText('INVITE', { port, callId, viaParams: ';rport' })]),
  );
  const finals = new Map<string, Answer[]>();
  socket.on('message', (bytes) => {
    const answer = readAnswer(bytes.toString('latin1'), server);
    const callId = answer?.header('Call-ID') ?? '';
    if (!answer || answer.status < 200) return;
    finals.set(callId, [...(finals.get(callId) ?? []), answer]);
    send(ackText(invites.get(callId) ?? '', answer));
  });
  const repeat = (): void => {
    for (const [callId, invite] of invites) if (!finals.has(callId)) send(invite);
  };
  repeat();
  const timer = setInterval(repeat, 250);
  try {
    await waitFor(() => finals.size === callIds.length || undefined, {
      deadlineMs: 30_000,
      describe: () => `${callIds.length - finals.size} of ${callIds.length} have no final answer`,
    });
    // One round more of the server's own repeats, for the 302s whose ACK was lost.
    const repeated = [...finals.values()].flat().length;
    await waitFor(() => [...finals.values()].flat().length > repeated || undefined, {
      deadlineMs: 30_000,
      describe: 'every ACK has arrived',
    }).catch(() => undefined);
  } finally {
    clearInterval(timer);
    socket.close();
  }

  return finals;
};

for (const weather of [
  { seed: 1, loss: 0.2, doubled: 0.2 },
  { seed: 2, loss: 0.4, doubled: 0 },
  { seed: 3, loss: 0, doubled: 0.5 },
]) {
  const [lost, doubled] = [100 * weather.loss, 100 * weather.doubled];
  test(`with ${lost} % lost and ${doubled} % doubled, every INVITE gets one 302 and is placed once`, async () => {
    await using relay = await LossyRelay.to(shared.door.port, weather);
    const callIds = Array.from({ length: calls }, () => unique('lossy'));
    const finals = await placeAll(callIds, relay.port);
    for (const [callId, answers] of finals) {
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [302]);
      assert.equal(new Set(answers.map(({ text }) => text)).size, 1, 'repeats are the same to the byte');
      assert.equal(await shared.door.placements(callId), 1, callId);
    }
    assert.ok(relay.lost >= calls * weather.loss, `only ${relay.lost} lost`);
    assert.ok(relay.doubled >= calls * weather.doubled, `only ${relay.doubled} doubled`);
  });
}
