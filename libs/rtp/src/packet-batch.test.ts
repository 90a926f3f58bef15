import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatSource,
  frameHeaderLength,
  frameKind,
  parseSource,
  walkFrames,
  writeFrameHeader,
} from './packet-batch.ts';

const arrivalNs = 5_000_000_000_123;

const frame = (body: Buffer, slot: number): Buffer => {
  const bytes = Buffer.alloc(frameHeaderLength + body.length);
  writeFrameHeader(bytes, 0, { kind: frameKind.rtp, length: body.length, arrivalNs, slot });
  body.copy(bytes, frameHeaderLength);

  return bytes;
};

test('a batch cut at any byte gives its whole frames and how far they reach', () => {
  const frames = [0, 1, 30].map((length) => frame(Buffer.alloc(length, length), 7));
  const batch = Buffer.concat(frames);
  for (let cut = 0; cut <= batch.length; cut++) {
    const lengths: number[] = [];
    const used = walkFrames(batch.subarray(0, cut), (kind, arrival, _at, length) => {
      assert.deepEqual([kind, arrival], [frameKind.rtp, arrivalNs]);
      lengths.push(length);
    });
    assert.equal(
      used,
      lengths.reduce((sum, length) => sum + length + frameHeaderLength, 0),
    );
    assert.ok(used <= cut && cut - used < frameHeaderLength + 30);
  }
});

test('addresses of both families survive', () => {
  const cases = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::1', '0:0:0:0:0:0:0:1'],
    ['fe80::1:2%eth0', 'fe80:0:0:0:0:0:1:2'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2:3:4:5:6'],
  ];
  for (const [address, expected] of cases) {
    assert.deepEqual(parseSource(formatSource(address!, 65_535)), { address: expected, port: 65_535 });
  }
  assert.equal(parseSource(Buffer.alloc(5)), undefined);
});
