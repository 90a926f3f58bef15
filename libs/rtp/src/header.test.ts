import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRtcp, isRtp, RtpPacket } from 'rtp.js/packets';
import { kindOfPacket, readRtpHeader } from './header.ts';

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Seeded, so that a failure can be repeated. */
const randomFrom = (seed: number) => {
  let state = seed;

  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;

    return Math.floor((state / 0x100000000) * below);
  };
};

const oracle = (bytes: Uint8Array): RtpPacket | undefined => {
  try {
    return bytes.length > 0 && isRtp(viewOf(bytes)) ? new RtpPacket(viewOf(bytes)) : undefined;
  } catch {
    return undefined;
  }
};

/** CSRCs, a one-byte extension and padding. */
const rich = Buffer.from(
  [
    'b2e0fffe', // V=2 P X CC=2, M PT=96, sequence 65534
    '80000001',
    'deadbeef',
    '0000000100000002', // CSRCs
    'bede000110aa0000', // extension
    '0102030405000003', // payload and 3 bytes of padding
  ].join(''),
  'hex',
);

test('a header with CSRCs, extension and padding gives exactly the payload', () => {
  assert.deepEqual(readRtpHeader(rich), {
    marker: true,
    payloadType: 96,
    sequenceNumber: 65_534,
    timestamp: 0x80000001,
    ssrc: 0xdeadbeef,
    payloadOffset: 28,
    payloadEnd: 33,
  });
});

test('every truncation and thousands of flipped bits are read as rtp.js reads them, or refused', () => {
  const random = randomFrom(1);
  const plain = Buffer.concat([
    Buffer.from([0x80, 0, 0, 1, 0, 0, 0, 160, 0, 0, 0, 9]),
    Buffer.alloc(160, 0xd5),
  ]);
  const cases = [rich, plain].flatMap((packet) => [
    ...Array.from({ length: packet.length + 1 }, (_, length) => packet.subarray(0, length)),
    ...Array.from({ length: 3_000 }, () => {
      const flipped = Buffer.from(packet);
      for (let i = 0; i < 1 + random(3); i++)
        flipped[random(Math.min(36, flipped.length))]! ^= 1 << random(8);

      return flipped;
    }),
  ]);
  let agreed = 0;
  for (const bytes of cases) {
    const header = readRtpHeader(bytes);
    const expected = oracle(bytes);
    if (!header || !expected) {
      // Being stricter is allowed (padding of zero bytes); laxer only in what lies inside an extension, which is not read.
      assert.ok(expected || !header || bytes[0]! & 0x10, bytes.toString('hex'));
      continue;
    }
    agreed++;
    assert.equal(header.sequenceNumber, expected.getSequenceNumber());
    assert.equal(header.timestamp, expected.getTimestamp());
    assert.equal(header.ssrc, expected.getSsrc());
    assert.equal(header.payloadType, expected.getPayloadType());
    assert.equal(header.marker, expected.getMarker());
    const payload = expected.getPayload();
    assert.deepEqual(
      Buffer.from(bytes.subarray(header.payloadOffset, header.payloadEnd)),
      Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength),
      bytes.toString('hex'),
    );
  }
  assert.ok(agreed > 2_000, `${agreed} packets were read by both`);
});

test('the gate tells RTP from RTCP as rtp.js does, and survives an empty datagram', () => {
  assert.equal(kindOfPacket(Buffer.alloc(0)), undefined);
  const random = randomFrom(2);
  for (let i = 0; i < 5_000; i++) {
    const bytes = Buffer.from(Array.from({ length: 12 + random(20) }, () => random(256)));
    bytes[0] = (bytes[0]! & 0x3f) | (random(4) === 0 ? 0x40 : 0x80);
    const view = viewOf(bytes);
    const expected = isRtcp(view) ? 'rtcp' : isRtp(view) ? 'rtp' : undefined;
    assert.equal(kindOfPacket(bytes), expected, bytes.toString('hex'));
  }
});
