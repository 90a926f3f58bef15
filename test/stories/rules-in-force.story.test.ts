import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startNats, waitFor } from '@reelstream/testing';
import { startFront } from '../support/front-door.ts';
import { RawUdp } from '../support/raw-udp.ts';
import { ackText, requestText } from '../support/sip-text.ts';
import { startSystem } from '../support/system.ts';

/** Nobody follows the redirects here: three that count as lost would have calls forwarded. */
const reservationTimeoutMs = 60_000;

/** The status that a direct call to this user gets from a pilot. */
const dial = async (port: number, user: string, callId: string = randomUUID()): Promise<number> => {
  await using caller = await RawUdp.open(port);
  const offer =
    'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';
  const uri = `sip:${user}@127.0.0.1:${port}`;
  const asRecorder = requestText('INVITE', { port: caller.port, callId, uri, body: offer });
  const invite = asRecorder.replace('Require: siprec\r\n', '').replace(';+sip.src', '');
  caller.send(invite);
  const answer = await caller.final({ method: 'INVITE' });
  caller.send(ackText(invite, answer));

  return answer.status;
};

test('what is changed over the API is in force on two pilots within a second, and explained afterwards', async (t) => {
  await using nats = await startNats();
  await using system = await startSystem({
    NATS_URL: nats.url,
    REEL_RESERVATION_TIMEOUT_MS: String(reservationTimeoutMs),
  });
  const clusterKey = (await readFile(join(system.dataDir, 'cluster-key'), 'utf8')).trim();
  await using second = await startFront({
    natsUrl: nats.url,
    clusterKey,
    nodeId: 'pilot-2',
    reservationTimeoutMs,
  });
  const ports = [system.sipPort, second.port];
  const everywhere = async (user: string, status: number): Promise<number> => {
    const began = performance.now();
    await Promise.all(
      ports.map((port) =>
        waitFor(async () => (await dial(port, user)) === status || undefined, {
          deadlineMs: 30_000,
          everyMs: 25,
          describe: () => `calls to ${user} on ${port} are not answered ${status}`,
        }),
      ),
    );

    return performance.now() - began;
  };
  const send = (method: string, path: string, body: object = {}): Promise<Response> =>
    system.api(path, { method, body: JSON.stringify(body) });
  await everywhere('7301', 302);

  const rule = { match: { kind: 'prefix', user: '73' }, action: { kind: 'reject', status: 480 } };
  const made = await send('POST', '/rules', rule);
  assert.equal(made.status, 201);
  const { id } = (await made.json()) as { id: string };
  const tookMs = [await everywhere('7301', 480)];
  for (const status of [486, 404]) {
    await send('PUT', `/rules/${id}`, { action: { kind: 'reject', status } });
    tookMs.push(await everywhere('7301', status));
  }
  await send('PUT', `/rules/${id}`, { action: { kind: 'record', media: 'audio' } });
  tookMs.push(await everywhere('7301', 302));
  t.diagnostic(`in force on both pilots ${tookMs.map(Math.round).join(', ')} ms after the answer of the API`);
  // What else the machine does only ever adds.
  assert.ok(Math.min(...tookMs) < 1_000, `${tookMs.join(', ')} ms`);

  await t.test('a refused call is explained by the pilot that refused it', async () => {
    await send('PUT', `/rules/${id}`, { action: { kind: 'reject' } });
    await everywhere('7301', 603);
    const callId = randomUUID();
    assert.equal(await dial(second.port, '7301', callId), 603);
    type Told = {
      readonly placements: { pilot: string; reason: string; rule?: { matched: string } }[];
      readonly attempts: { by: string; cause: string; status: number }[];
    };
    const told = await waitFor(
      async () => {
        const explanation = await system.json<Told>(`/calls/${callId}/explanation`);

        return explanation.attempts.length > 0 ? explanation : undefined;
      },
      { deadlineMs: 30_000, describe: 'the refusal is not in the database' },
    );
    assert.deepEqual(
      told.placements.map(({ pilot, reason, rule: by }) => [pilot, reason, by?.matched]),
      [['pilot-2', 'rejected-by-rule', 'prefix 73']],
    );
    assert.deepEqual(
      told.attempts.map(({ by, cause, status }) => [by, cause, status]),
      [['pilot-2', 'rejected-by-rule', 603]],
    );
  });

  await t.test('a drained capture node leaves the pilots nowhere to send calls', async () => {
    assert.equal((await send('POST', '/nodes/capture-1/drain')).status, 200);
    await everywhere('1', 503);
    const node = (await system.nodes()).find(({ nodeId }) => nodeId === 'capture-1');
    assert.equal(node?.state, 'draining');
    assert.equal((await send('POST', '/nodes/capture-1/undrain')).status, 200);
    await everywhere('1', 302);
  });
});
