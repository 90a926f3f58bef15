import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { buildDtls } from '../../native/dtls/build.mjs';
import { DtlsHandshake, makeDtlsIdentity } from './dtls-handshake.ts';
import type { DtlsFingerprint } from './dtls-handshake.ts';

const isBuilt = await buildDtls();

/** Two that shake hands over a wire that loses what `loses` says. */
const shake = (
  named: { readonly ofClient?: readonly DtlsFingerprint[]; readonly ofServer?: readonly DtlsFingerprint[] },
  loses: (count: number) => boolean = () => false,
) => {
  const [ours, theirs] = [makeDtlsIdentity(), makeDtlsIdentity()];
  const wire: { to: 'client' | 'server'; datagram: Buffer }[] = [];
  let sent = 0;
  const send = (to: 'client' | 'server') => (datagram: Buffer) => {
    if (!loses(sent++)) wire.push({ to, datagram: Buffer.from(datagram) });
  };
  const client = new DtlsHandshake(
    'client',
    ours.pem,
    named.ofServer ?? [theirs.fingerprint],
    send('server'),
  );
  const server = new DtlsHandshake(
    'server',
    theirs.pem,
    named.ofClient ?? [ours.fingerprint],
    send('client'),
  );
  const deliver = (): void => {
    for (let next = wire.shift(); next; next = wire.shift())
      (next.to === 'client' ? client : server).take(next.datagram);
  };
  client.begin();
  deliver();

  return { client, server, deliver };
};

describe('a DTLS handshake', { skip: !isBuilt && 'there is no compiler, or no headers' }, () => {
  test('gives both sides the same keys, each its own to send under', () => {
    const { client, server } = shake({});
    const [ours, theirs] = [client.keys, server.keys];
    assert.ok(ours?.local && ours.remote);
    assert.deepEqual(ours.local, theirs?.remote);
    assert.deepEqual(ours.remote, theirs?.local);
    assert.notDeepEqual(ours.local, ours.remote);
    assert.equal(ours.local.suite, 'AEAD_AES_256_GCM');
  });

  test('fails where the certificate is another than was named, on either side', () => {
    const named = [makeDtlsIdentity().fingerprint];
    const byServer = shake({ ofClient: named }).server;
    assert.equal(byServer.state, 'failed');
    assert.equal(byServer.keys, undefined);
    assert.deepEqual(byServer.failure, {
      reason: 'the certificate has another fingerprint than the SDP',
      differs: true,
    });
    const { client } = shake({ ofServer: named });
    assert.equal(client.state, 'failed');
    assert.equal(client.failure.differs, true);
    const nothing = shake({ ofClient: [] }).server;
    assert.equal(nothing.failure.differs, true);
  });

  test('begins anew what is lost, whichever flight it is', async () => {
    for (let lost = 0; lost < 6; lost++) {
      const { client, server, deliver } = shake({}, (count) => count === lost);
      for (let tries = 0; tries < 100 && !(client.keys && server.keys); tries++) {
        await new Promise((resolve) => void setTimeout(resolve, 10));
        for (const side of [client, server]) side.tick();
        deliver();
      }
      assert.deepEqual(client.keys?.local, server.keys?.remote ?? {}, `datagram ${lost}`);
    }
  });

  test('survives whatever else comes', () => {
    const { client, server } = shake({});
    const fresh = shake({}, () => true);
    for (let seed = 0; seed < 500; seed++) {
      const junk = Buffer.from(
        Array.from({ length: 13 + (seed % 90) }, (_, at) => (seed * 31 + at * 17) & 0xff),
      );
      junk.writeUInt8(20 + (seed % 5), 0);
      junk.writeUInt16BE(0xfefd, 1);
      junk.writeUInt16BE(junk.length - 13, 11);
      for (const side of [client, server, fresh.client, fresh.server]) side.take(junk);
    }
    assert.deepEqual(client.keys?.local, server.keys?.remote);
  });
});
