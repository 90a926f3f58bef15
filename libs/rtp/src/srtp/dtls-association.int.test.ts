import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { buildDtls } from '../../native/dtls/build.mjs';
import type { Endpoint } from '../source-latch.ts';
import { DtlsAssociation } from './dtls-association.ts';
import { DtlsHandshake, makeDtlsIdentity } from './dtls-handshake.ts';

const isBuilt = await buildDtls();
const ours = makeIdentity();
const theirs = makeIdentity();

function makeIdentity() {
  return isBuilt ? makeDtlsIdentity() : { pem: '', fingerprint: { hash: '', value: '' } };
}

const placeAt = (port: number): Endpoint => ({ address: '192.0.2.1', port });

/** An association, and those who talk to it, by port. */
const opened = (role: 'client' | 'server', remote: Endpoint | undefined = placeAt(1)) => {
  const sent: { readonly datagram: Buffer; readonly to: Endpoint }[] = [];
  const association = new DtlsAssociation(
    { identity: ours.pem, role, fingerprints: [theirs.fingerprint], remote },
    (datagram, to) => sent.push({ datagram: Buffer.from(datagram), to }),
  );
  const peers = new Map<number, DtlsHandshake>();
  let nowMs = 0;
  /** Carries datagrams to and fro until nobody has any. */
  const deliver = (): void => {
    for (let next = sent.shift(); next; next = sent.shift()) peers.get(next.to.port)?.take(next.datagram);
  };
  const peer = (port: number, identity = theirs): DtlsHandshake => {
    const handshake = new DtlsHandshake(
      role === 'client' ? 'server' : 'client',
      identity.pem,
      [ours.fingerprint],
      (datagram) => association.take(Buffer.from(datagram), placeAt(port), nowMs),
    );
    peers.set(port, handshake);

    return handshake;
  };

  return { association, sent, peer, deliver, pass: (ms: number) => (nowMs += ms) };
};

describe('who shakes hands on a socket', { skip: !isBuilt && 'there is no compiler, or no headers' }, () => {
  test('is whoever shows the certificate, wherever it sends from', () => {
    const { association, peer, deliver } = opened('server');
    const stranger = peer(7, makeDtlsIdentity());
    const right = peer(8);
    for (const one of [stranger, right]) one.begin();
    deliver();
    assert.ok(association.keys);
    assert.deepEqual(association.keys.remote, right.keys?.local);
    assert.deepEqual(association.counts, { junk: 0, failed: 1, differing: 1 });
    assert.match(association.takeReason() ?? '', /another fingerprint/);
    assert.equal(association.takeReason(), undefined);
  });

  test('has a place where the SDP says it is, however many strangers try', () => {
    const { association, sent, peer, deliver, pass } = opened('server', placeAt(1));
    for (let port = 10; port < 30; port++) peer(port).begin();
    assert.equal(association.counts.junk, 16);
    // None of them ever hears what was sent to it; another one only gets in once they have been silent.
    pass(2_999);
    peer(40).begin();
    assert.equal(association.counts.junk, 17);
    sent.length = 0;
    const right = peer(1);
    right.begin();
    deliver();
    assert.deepEqual(association.keys?.remote, right.keys?.local);
  });

  test('gets the place of a stranger who has gone silent', () => {
    const { association, sent, peer, deliver, pass } = opened('server');
    for (let port = 10; port < 14; port++) peer(port).begin();
    sent.length = 0;
    pass(3_000);
    const right = peer(40);
    right.begin();
    deliver();
    assert.deepEqual(association.keys?.remote, right.keys?.local);
  });

  test('is called where the SDP says it is, and heard from there only', () => {
    const { association, sent, peer, deliver } = opened('client');
    const right = peer(1);
    association.tick(0);
    assert.deepEqual(sent[0]?.to, placeAt(1));
    association.take(Buffer.alloc(20, 22), { address: '192.0.2.2', port: 1 }, 0);
    assert.equal(association.counts.junk, 1);
    deliver();
    assert.deepEqual(association.keys?.remote, right.keys?.local);
  });

  test('is called again where the first call came to nothing, less and less often', () => {
    const { association, peer, deliver } = opened('client');
    peer(1, makeDtlsIdentity());
    let failedAt = 0;
    const pauses: number[] = [];
    for (let ms = 0; ms < 20_000; ms += 100) {
      const before = association.counts.failed;
      association.tick(ms);
      peer(1, makeDtlsIdentity());
      deliver();
      if (association.counts.failed === before) continue;
      pauses.push(ms - failedAt);
      failedAt = ms;
    }
    assert.equal(association.keys, undefined);
    assert.equal(association.counts.differing, association.counts.failed);
    assert.deepEqual(pauses.slice(0, 4), [0, 1_000, 2_000, 4_000]);
  });

  test('may ask for a repeat for a while, and is then forgotten', () => {
    const { association, sent, peer, deliver } = opened('server');
    const right = peer(1);
    right.begin();
    deliver();
    assert.equal(association.isOver, false);
    association.tick(239_999);
    assert.equal(association.isOver, false);
    association.tick(240_000);
    assert.equal(association.isOver, true);
    peer(2).begin();
    assert.equal(sent.length, 0, 'nobody else is answered any more');
  });
});
