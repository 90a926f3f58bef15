import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { journalFile } from '@reelstream/recording';
import { Secret } from '@reelstream/service';
import { IdleDialogs } from './idle-dialogs.ts';
import { Leg } from './leg.ts';

const clusterKey = new Secret(Buffer.alloc(32, 1).toString('base64'));

const legOf = (callId: string): Leg =>
  new Leg({
    type: 'siprec',
    info: { callId, fromUri: 'sip:a@b', toUri: 'sip:c@d', transport: 'udp', remoteAddress: '127.0.0.1:5060' },
    opener: { tag: 'tag', isUs: false },
    audioOnly: false,
    address: '127.0.0.1',
    contact: '<sip:127.0.0.1>',
    sdp: { sessionId: '1', version: 0 },
    lines: [],
    encryption: { policy: { suites: [], sdes: false, dtls: false, fallback: false } },
    recorded: [],
    snapshots: 0,
  });

test('dialogs that wait no longer take no room for ever, and those that wait outlive it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'idle-'));
  try {
    const idle = await IdleDialogs.open(folder, clusterKey);
    await idle.keep(legOf('waits'), true);
    const sizeOf = async (): Promise<number> => (await stat(join(folder, journalFile))).size;
    const one = await sizeOf();
    for (let call = 0; call < 1_500; call++) {
      const leg = legOf(`call-${call}`);
      await idle.keep(leg, false);
      await idle.drop(leg);
    }
    assert.ok((await sizeOf()) < 1_000 * one, `${await sizeOf()} bytes, of one dialog ${one}`);

    const [found, ...others] = await IdleDialogs.open(folder, clusterKey);
    assert.deepEqual([found?.info.callId, others], ['waits', []]);
    assert.equal(await sizeOf(), one);
  } finally {
    await rm(folder, { recursive: true });
  }
});
