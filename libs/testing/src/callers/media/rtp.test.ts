import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatRtp, formatSenderReport } from './rtp.ts';

test('an RTP packet has its fields where RFC 3550 wants them, cut to their width', () => {
  const fields = {
    marker: true,
    payloadType: 8,
    sequence: 0x1_0002,
    timestamp: 2 ** 32 + 3,
    ssrc: 0xdead_beef,
  };

  assert.equal(formatRtp(fields, Uint8Array.of(0xaa)).toString('hex'), '8088000200000003deadbeefaa');
});

test('a report is a compound packet: sender report, CNAME, and BYE at the end', () => {
  const report = { ssrc: 1, unixMs: 500, timestamp: 160, packets: 2, octets: 320, cname: 'abc', bye: true };

  assert.equal(
    formatSenderReport(report).toString('hex'),
    // NTP counts from 1900; half a second is half of its fraction.
    '80c80006' +
      '00000001' +
      '83aa7e80' +
      '80000000' +
      '000000a0' +
      '00000002' +
      '00000140' +
      '81ca0003' +
      '00000001' +
      '0103616263000000' +
      '81cb0001' +
      '00000001',
  );
});

test('every length of CNAME is padded to 32 bits, with a null at least', () => {
  for (let length = 0; length < 12; length++) {
    const cname = 'x'.repeat(length);
    const packet = formatSenderReport({
      ssrc: 1,
      unixMs: 0,
      timestamp: 0,
      packets: 0,
      octets: 0,
      cname,
      bye: false,
    });
    const description = packet.subarray(28);

    assert.equal(description.length % 4, 0);
    assert.equal((description.readUInt16BE(2) + 1) * 4, description.length);
    assert.equal(description.at(-1), 0);
  }
});
