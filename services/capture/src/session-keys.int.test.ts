import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openJournal, readJournal } from '@reelstream/recording';
import { SrtpSession } from '@reelstream/rtp';
import type { SrtpKeying } from '@reelstream/rtp';
import { Secret } from '@reelstream/service';
import { SrtpSender } from '@reelstream/testing/callers';
import { keysOfNextLife, readTrackKeys, SessionKeys } from './session-keys.ts';

const clusterKey = new Secret(Buffer.alloc(32, 1).toString('base64'));
const suite = 'AES_CM_128_HMAC_SHA1_80';
const keying = (fill: number): SrtpKeying => ({
  suite,
  keys: [{ inline: Buffer.alloc(30, fill).toString('base64') }],
});

const packetAt = (place: number): Buffer => {
  const packet = Buffer.alloc(172, place & 0xff);
  packet.writeUInt16BE(0x8000, 0);
  packet.writeUInt16BE(place & 0xffff, 2);
  packet.writeUInt32BE(0xabcdef01, 8);

  return packet;
};

test('a call past a wrap of its sequence numbers is read on by the next life, from the journal alone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'session-keys-'));
  try {
    const sender = new SrtpSender(suite, { key: Buffer.alloc(16, 3), salt: Buffer.alloc(14, 3) });
    const sent = (place: number): Buffer => sender.protectRtp(packetAt(place), Math.floor(place / 65_536));
    const journal = await openJournal(folder);
    const keys = new SessionKeys(journal, clusterKey);
    await keys.agreed({ 0: { remote: keying(3), local: keying(4) }, 1: undefined });
    const first = new SrtpSession(keys.tracks[0] ?? {});
    const report = Buffer.from('80c90001deadbeef', 'hex');
    const reported = first.protect(report);
    for (let place = 65_000; place < 66_000; place += 1) {
      assert.ok(first.unprotect(sent(place), 'rtp'));
      const rollovers = first.takeRollovers();
      if (rollovers) await keys.stands(0, rollovers);
    }
    // The process is killed: nothing is closed.

    const found = keysOfNextLife(readTrackKeys((await readJournal(folder)).notes, clusterKey));
    assert.deepEqual(Object.keys(found), ['0']);
    const second = new SrtpSession(found[0] ?? {});
    const read = Array.from({ length: 50 }, (_, at) => second.unprotect(sent(66_100 + at), 'rtp'));
    assert.deepEqual(
      read.map((packet) => packet?.readUInt16BE(2)),
      Array.from({ length: 50 }, (_, at) => 564 + at),
    );
    // The same report a second time, yet under another index: nothing of ours is ever sent twice under one.
    assert.notDeepEqual(second.protect(report), reported);
    await journal.close();
    const text = await readFile(join(folder, 'journal.ndjson'), 'latin1');
    for (const fill of [3, 4]) assert.ok(!text.includes(Buffer.alloc(30, fill).toString('base64')));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('keys of another cluster, or altered, are not read as keys', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'session-keys-'));
  try {
    const journal = await openJournal(folder);
    await new SessionKeys(journal, clusterKey).agreed({ 0: { remote: keying(3) } });
    const { notes } = journal;
    await journal.close();
    assert.deepEqual(readTrackKeys(notes, clusterKey), { 0: { remote: keying(3) } });
    assert.throws(() => readTrackKeys(notes, new Secret(Buffer.alloc(32, 2).toString('base64'))));
    const kept = String(notes['srtp']);
    const altered = `${kept.slice(0, 40)}${kept[40] === 'A' ? 'B' : 'A'}${kept.slice(41)}`;
    assert.throws(() => readTrackKeys({ ...notes, srtp: altered }, clusterKey));
    assert.deepEqual(readTrackKeys({}, clusterKey), {});
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
