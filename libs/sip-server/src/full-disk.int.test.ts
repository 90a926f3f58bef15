import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasOwnMounts, obstacleToOwnMounts, runWithOwnMounts, SmallDisk, waitFor } from '@reelstream/testing';
import { openStateStore } from './durable/state-store.ts';
import { header } from './message/message.ts';
import { until } from './test-support/inbox.ts';
import { Caller, OFFER } from './test-support/messages.ts';
import { answeringApp, connectApp, endpoint, startServer } from './test-support/server.ts';
import { UdpPeer } from './test-support/udp-peer.ts';

if (hasOwnMounts())
  test('on a full disk what runs goes on and ends, new calls get 503, and are taken again when there is room', async (t) => {
    const stateDir = await mkdtemp(join(tmpdir(), 'sip-full-'));
    const disk = new SmallDisk(1);
    await disk.mount(stateDir);
    t.after(async () => {
      await disk.unmount();
      await rm(stateDir, { recursive: true });
    });
    const faults: unknown[] = [];
    const app = answeringApp();
    {
      await using server = await startServer({ stateDir, onStateFault: (error) => faults.push(error) });
      await using _srf = await connectApp(server, app.prepare);
      await using peer = await UdpPeer.open();
      const send = (text: string): void => peer.send(text, endpoint(server, 'udp'));
      const begin = (callId: string): Caller => {
        const caller = new Caller(callId, peer.port);
        send(caller.request('INVITE', 1, { body: OFFER }));

        return caller;
      };
      const call = async (callId: string): Promise<Caller> => {
        const caller = begin(callId);
        caller.learn(await peer.response(200, 'INVITE'));
        send(caller.request('ACK', 1));

        return caller;
      };
      const first = await call('before');
      await disk.fill();
      // The call in which it is noticed is worth more than what is known of it.
      await call('noticed');
      await until('the fault is told', () => faults.length > 0);
      begin('refused');
      assert.equal(header(await peer.response(503, 'INVITE'), 'retry-after'), '1');
      send(new Caller('asked', peer.port).request('OPTIONS', 1));
      await peer.response(503, 'OPTIONS');
      send(first.request('BYE', 2));
      await peer.response(200, 'BYE');

      await disk.makeRoom();
      const isTaken = (): true | undefined => {
        begin(`again-${performance.now()}`);

        return app.dialogs.length > 2 || undefined;
      };
      await waitFor(isTaken, { deadlineMs: 15_000, everyMs: 200, describe: 'no call is taken' });
    }
    // What was not saved then is now.
    const silent = { failed: () => {} };
    const { left } = await openStateStore(stateDir, { dialogs: silent, invites: silent });
    assert.ok(left.dialogs.some(({ callId }) => callId === 'noticed'));
    assert.ok(left.dialogs.every(({ callId }) => callId !== 'before'));
  });
else
  test('with a disk of its own', { skip: obstacleToOwnMounts() ?? false }, () =>
    runWithOwnMounts(import.meta.filename),
  );
