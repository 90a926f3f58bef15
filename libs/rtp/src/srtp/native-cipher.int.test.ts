import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { SrtpSender } from '@reelstream/testing/callers';
import type { SrtpSuiteName } from '@reelstream/testing/callers';
import { buildSrtp } from '../../native/srtp/build.mjs';
import { payloadStart, sequenceNumberAt, ssrcAt } from '../header.ts';
import { AesCmCipher } from './aes-cm.ts';
import { AesGcmCipher } from './aes-gcm.ts';
import { deriveSessionKeys } from './derive.ts';
import { fastest } from './native-cipher.ts';
import type { PacketCipher } from './packet-cipher.ts';
import { indexOf } from './rollover.ts';
import { srtpSuites } from './suites.ts';

const isBuilt = await buildSrtp();
const highestRoc = 0xffffffff;

/** The same for the same name, at most 32 bytes of it. */
const bytesOf = (name: string, length: number): Buffer =>
  createHash('sha256').update(name).digest().subarray(0, length);

/** Headers of all kinds, with payloads of none, some and very many bytes. */
const packets = ['80', '92', '90', 'a0', '8f'].flatMap((first) =>
  [0, 1, 15, 16, 17, 160, 1_400, 65_000].map((payload, at) => {
    const csrcs = 4 * (Number.parseInt(first, 16) & 15);
    const extension = Number.parseInt(first, 16) & 16 ? Buffer.from('bede000110aa0000', 'hex') : '';
    const fixed = Buffer.from(`${first}60ff${at.toString(16).padStart(2, '0')}80000001deadbeef`, 'hex');

    return Buffer.concat([fixed, Buffer.alloc(csrcs, 7), Buffer.from(extension), Buffer.alloc(payload, at)]);
  }),
);

type Opened = { readonly length: number; readonly packet: Buffer };

const open = (cipher: PacketCipher, sealed: Buffer, roc: number, mkiLength = 0, plain = false): Opened => {
  const packet = Buffer.from(sealed);
  const bodyAt = payloadStart(packet) ?? assert.fail('no RTP');
  const index = indexOf(roc, sequenceNumberAt(packet, 0));

  return { packet, length: cipher.openRtp(packet, bodyAt, mkiLength, ssrcAt(packet, 0), index, plain) };
};

for (const suite of srtpSuites) {
  describe(suite.name, { skip: !isBuilt && 'SRTP in C was not built here' }, () => {
    const master = { key: bytesOf('key', suite.keyLength), salt: bytesOf('salt', suite.saltLength) };
    const keys = deriveSessionKeys(suite, master, 'rtp');
    const own =
      suite.cipher === 'aes-gcm' ? new AesGcmCipher(keys) : new AesCmCipher(keys, suite.rtpTagLength);
    const native = fastest(keys, own);
    const sender = new SrtpSender(suite.name as SrtpSuiteName, master);

    test('in C each packet is read as it was sent, under every rollover counter', () => {
      assert.notEqual(native, own);
      for (const packet of packets) {
        for (const roc of [0, 1, highestRoc]) {
          const opened = open(native, sender.protectRtp(packet, roc), roc);
          assert.deepEqual(opened.packet.subarray(0, opened.length), packet);
        }
      }
    });

    test('one that has an MKI, too', () => {
      const mki = Buffer.from('0badcafe', 'hex');
      const naming = new SrtpSender(suite.name as SrtpSuiteName, { ...master, mki });
      for (const packet of packets) {
        const opened = open(native, naming.protectRtp(packet, 3), 3, mki.length);
        assert.deepEqual(opened.packet.subarray(0, opened.length), packet);
      }
    });

    test('what is not genuine is refused and left as it came: altered anywhere, cut, or under another counter', () => {
      const sealed = sender.protectRtp(packets[5] ?? assert.fail(), 1);
      const forged = Array.from({ length: sealed.length }, (_, at) => {
        const copy = Buffer.from(sealed);
        copy[at]! ^= 1 << (at % 8);

        return copy;
      }).filter((packet) => payloadStart(packet) !== undefined);
      const cut = Array.from({ length: sealed.length - 12 }, (_, at) => sealed.subarray(0, 12 + at));
      for (const packet of [...forged, ...cut]) {
        assert.deepEqual(open(native, packet, 1), { packet, length: -1 });
      }
      assert.deepEqual(open(native, sealed, 2), { packet: sealed, length: -1 });
    });

    test('and whatever comes is judged as by Node’s crypto, authenticated only or encrypted', () => {
      for (const packet of packets) {
        for (const sealed of [sender.protectRtp(packet, 0), packet]) {
          for (const plain of [false, true]) {
            assert.deepEqual(open(native, sealed, 0, 0, plain), open(own, sealed, 0, 0, plain));
          }
        }
      }
    });
  });
}
