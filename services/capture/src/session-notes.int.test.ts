import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { openJournal, readJournal } from '@reelstream/recording';
import { Secret } from '@reelstream/service';
import { parseSdp } from '@reelstream/sip';
import { Leg } from './leg.ts';
import { Ledger } from './ledger.ts';
import { SessionClock } from './session-clock.ts';
import { SessionDialogs } from './session-dialogs.ts';
import { readCodecs, readDialogs, SessionNotes } from './session-notes.ts';
import { twoVoices } from './test-support/offers.ts';

const clusterKey = new Secret(Buffer.alloc(32, 1).toString('base64'));
const suites = [{ name: 'AES_CM_128_HMAC_SHA1_80', masterLength: 30 }];
const inline = Buffer.alloc(30, 7).toString('base64');

/** A leg of two lines, of which the second is not recorded; the first is encrypted. */
const newLeg = (): Leg =>
  new Leg({
    type: 'siprec',
    info: {
      callId: 'c1',
      fromUri: 'sip:a@b',
      toUri: 'sip:c@d',
      transport: 'tls',
      remoteAddress: '10.0.0.1:5061',
    },
    opener: { tag: 'theirs', isUs: false },
    audioOnly: false,
    address: '10.0.0.2',
    contact: '<sip:10.0.0.2:5070>',
    sdp: { sessionId: '1', version: 0 },
    lines: [],
    encryption: { policy: { suites, sdes: true, dtls: false, fallback: false } },
    recorded: ['s1'],
    snapshots: 1,
  });

const encrypted = parseSdp(
  twoVoices
    .replace('RTP/AVP', 'RTP/SAVP')
    .replace('a=label:1', `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${inline}\r\na=label:1`),
);

const openNotes = async (t: TestContext) => {
  const folder = await mkdtemp(join(tmpdir(), 'session-notes-'));
  t.after(() => rm(folder, { recursive: true }));
  const journal = await openJournal(folder);
  const dialogs = new SessionDialogs();
  const clock = new SessionClock(journal.notes);
  const notes = new SessionNotes(journal.notes, clusterKey, { clock, dialogs: () => dialogs.state });
  const ledger = new Ledger(journal, { source: '/local/c1', epoch: 1 }, () => undefined, notes);

  return { folder, dialogs, notes, ledger };
};

test('a dialog is had again from the journal as it was: descriptions, keys, versions', async (t) => {
  const { folder, dialogs, notes, ledger } = await openNotes(t);
  const leg = newLeg();
  leg.add({ index: 0, kind: 'audio', label: '1', trackNumber: 0, port: 20_000 });
  const answer = leg.answer(encrypted).sdp;
  dialogs.stands(leg);
  notes.negotiated(leg.negotiated);
  await ledger.jot();
  // The process is killed: nothing is closed.

  const kept = (await readJournal(folder)).notes;
  const { legs, lastReason } = readDialogs(kept, clusterKey);
  assert.deepEqual([legs.length, lastReason], [1, 'stopped']);
  const again = new Leg(legs[0] ?? assert.fail());
  assert.deepEqual(again.secured, leg.secured);
  assert.deepEqual(again.agreed, leg.agreed);
  assert.deepEqual(readCodecs(kept), { 0: leg.negotiated[0] });
  const { refreshedMs: _now, ...known } = again.known;
  assert.deepEqual(known, {
    callId: 'c1',
    localTag: '',
    remoteTag: 'theirs',
    remoteTarget: undefined,
    isOurs: false,
    timer: undefined,
  });
  const second = again.answer(encrypted).sdp;
  assert.equal(
    second,
    answer.replace('o=- 1 1 ', 'o=- 1 2 '),
    'the next version of the same answer, our key and all',
  );
  const text = await readFile(join(folder, 'journal.ndjson'), 'latin1');
  assert.ok(!text.includes(inline), 'no key can be read');
  assert.throws(() => readDialogs(kept, new Secret(Buffer.alloc(32, 2).toString('base64'))));
  await ledger.close();
});

test('what has not changed is not written again, and a dialog that ended is gone', async (t) => {
  const { folder, dialogs, ledger } = await openNotes(t);
  const leg = newLeg();
  const expected = dialogs.expect(leg);
  await ledger.jot();
  const size = async (): Promise<number> => (await readFile(join(folder, 'journal.ndjson'))).length;
  const before = await size();
  dialogs.stands(leg);
  expected[Symbol.dispose]();
  await ledger.jot();
  assert.equal(await size(), before);
  dialogs.ended(leg, 'bye');
  await ledger.jot();
  const { notes } = await readJournal(folder);
  assert.deepEqual(readDialogs(notes, clusterKey), { legs: [], lastReason: 'bye' });
  await ledger.close();
});

test("a session's time goes on over the lives of its home, and over a boot by the wall clock", () => {
  const first = new SessionClock({});
  const startedAt = new Date(first.anchor.wallMs + 5).toISOString();
  const began = first.whenWas(startedAt);
  const next = new SessionClock({ clock: first.anchor });
  assert.ok(Math.abs(next.whenWas(startedAt) - began) < 1);
  // After another boot there is only the wall clock.
  const { wallMs } = first.anchor;
  const booted = new SessionClock({
    clock: { bootId: 'another', monotonicMs: 1e12, wallMs: wallMs - 60_000 },
  });
  const minuteAgo = new Date(wallMs - 60_000).toISOString();
  assert.ok(Math.abs(performance.now() - booted.whenWas(minuteAgo) - 60_000) < 1_000);
});
