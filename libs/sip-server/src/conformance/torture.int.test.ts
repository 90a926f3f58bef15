import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import type { SipMessage } from '../message/message.ts';
import { header } from '../message/message.ts';
import { Caller } from '../test-support/messages.ts';
import { connectApp, endpoint, startServer } from '../test-support/server.ts';
import { UdpPeer } from '../test-support/udp-peer.ts';
import { semanticsRows } from './rfc4475-semantics.ts';
import { syntaxRows } from './rfc4475-syntax.ts';
import { rfc5118 } from './rfc5118.ts';
import type { Outcome } from './row.ts';
import { withTables } from './tables.ts';

const MARKER = 'marker';

/** What a running server makes of one datagram. */
async function outcomeOf(bytes: Buffer): Promise<Outcome> {
  const reached: string[] = [];
  await using server = await startServer();
  await using _ = await connectApp(server, (srf) => {
    for (const method of ['invite', 'message', 'options', 'register']) {
      srf.use(method, (req, res) => {
        reached.push(req.get('Call-ID'));
        res.send(method === 'invite' ? 486 : 200);
      });
    }
  });
  await using peer = await UdpPeer.open();
  peer.send(bytes, endpoint(server, 'udp'));
  // Answered after the message: both come over one socket, and both may go through the application.
  peer.send(new Caller(MARKER, peer.port).request('OPTIONS', 1), endpoint(server, 'udp'));
  await peer.inbox.next('the marker', (each): each is SipMessage => header(each, 'call-id') === MARKER);
  const answer = peer.inbox.all.find(
    (each) => each.kind === 'response' && each.status >= 200 && header(each, 'call-id') !== MARKER,
  );
  if (reached.some((callId) => callId !== MARKER)) return 'application';
  if (answer?.kind === 'response') return answer.status;
  return server.counters()['response.stray'] === 1 ? 'unmatched' : 'dropped';
}

for (const { rfc, rows } of [
  { rfc: 'rfc4475', rows: [...syntaxRows, ...semanticsRows] },
  { rfc: 'rfc5118', rows: rfc5118 },
]) {
  const folder = new URL(`../../fixtures/${rfc}/`, import.meta.url);
  for (const { file, section, ours, allowed, reason } of rows) {
    test(`${rfc} ${section} ${file}: ${ours}`, async () => {
      assert.equal(await outcomeOf(readFileSync(new URL(file, folder))), ours);
      assert.ok(allowed.includes(ours) || reason !== undefined, 'differs without a reason');
    });
  }

  test(`every message of ${rfc} is in its table`, () => {
    const addition = 'TC_TEST_I.dat'; // of the corpus, not of the RFC
    const files = readdirSync(folder).filter((name) => name !== addition);
    assert.deepEqual(rows.map(({ file }) => file).toSorted(), files.toSorted());
  });
}

test('docs/sip-conformance.md shows these tables', () => {
  const page = readFileSync(new URL('../../../../docs/sip-conformance.md', import.meta.url), 'utf8');
  assert.equal(page, withTables(page), 'run node libs/sip-server/src/conformance/generate-docs.ts');
});
