import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompoundPacket, isRtcp } from 'rtp.js/packets';
import type { ByePacket, ReceiverReportPacket, SdesPacket } from 'rtp.js/packets';
import { ControlStatistics } from './control-statistics.ts';
import { reportUnixNs, walkRtcp } from './rtcp-reader.ts';
import { formatBye, formatCname, formatFir, formatPli, formatReceiverReport } from './rtcp-writer.ts';
import { SourceStatistics } from './source-statistics.ts';

const view = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

const senderReport = (ssrc: number, ntpSeconds: number, timestamp: number, fraction = 0x80000000): Buffer => {
  const bytes = Buffer.alloc(28);
  bytes.set([0x80, 200, 0, 6]);
  bytes.writeUInt32BE(ssrc, 4);
  bytes.writeUInt32BE(ntpSeconds, 8);
  bytes.writeUInt32BE(fraction, 12);
  bytes.writeUInt32BE(timestamp, 16);

  return bytes;
};

test('a compound packet of ours is read by another library as it was meant', () => {
  const statistics = new SourceStatistics(0xdeadbeef, 65_530);
  for (let n = 0; n < 20; n++) if (n !== 7 && n !== 8) statistics.take((65_530 + n) & 0xffff);
  statistics.takeTransit(0, 0);
  statistics.takeTransit(320, 160);
  const bytes = Buffer.concat([
    formatReceiverReport(0x01020304, [
      { statistics, lastSenderReport: 0xa1b2c3d4, delaySinceLastSenderReport: 65_536 },
    ]),
    formatCname(0x01020304, 'session-name'),
    formatBye(0x01020304),
  ]);
  assert.ok(isRtcp(view(bytes)));
  const packets = new CompoundPacket(view(bytes)).getPackets();
  const [report, description, bye] = packets as [ReceiverReportPacket, SdesPacket, ByePacket];
  assert.equal(report.getSsrc(), 0x01020304);
  const [block] = report.getReports();
  assert.ok(block);
  assert.equal(block.getSsrc(), 0xdeadbeef);
  assert.equal(block.getTotalLost(), 2);
  assert.equal(block.getFractionLost(), Math.floor((2 * 256) / 20));
  assert.equal(block.getHighestSeqNumber(), 0x10000 + 13);
  assert.equal(block.getJitter(), 10);
  assert.equal(block.getLastSRTimestamp(), 0xa1b2c3d4);
  assert.equal(block.getDelaySinceLastSR(), 65_536);
  assert.equal(description.getChunks()[0]?.getItems()[0]?.text, 'session-name');
  assert.deepEqual(bye.getSsrcs(), [0x01020304]);
});

test('a name of any length ends with a null and fills its words', () => {
  for (const name of ['', 'a', 'ab', 'abc', 'abcd', 'x'.repeat(400)]) {
    const bytes = formatCname(1, name);
    assert.equal(bytes.length % 4, 0);
    assert.equal(bytes.readUInt16BE(2), bytes.length / 4 - 1);
    assert.equal(bytes.at(-1), 0);
    assert.equal(bytes[9], Math.min(255, name.length));
  }
});

test('requests for a picture have the form of RFC 4585 and RFC 5104', () => {
  assert.equal(formatPli(0x11111111, 0x22222222).toString('hex'), '81ce00021111111122222222');
  assert.equal(
    formatFir(0x11111111, 0x22222222, 0x107).toString('hex'),
    '84ce0004' + '11111111' + '00000000' + '22222222' + '07000000',
  );
});

test('the clock of a sender is read in this era and the next; one without a clock says nothing', () => {
  const at = (seconds: number): bigint | undefined => reportUnixNs(senderReport(1, seconds, 0), 0);
  assert.equal(at(2_208_988_800), 500_000_000n);
  assert.equal(at(0xffffffff), (0xffffffffn - 2_208_988_800n) * 1_000_000_000n + 500_000_000n);
  assert.equal(at(1), (0x100000001n - 2_208_988_800n) * 1_000_000_000n + 500_000_000n);
  assert.equal(reportUnixNs(senderReport(1, 0, 0, 0), 0), undefined);
});

test('sender reports are kept with their arrival, thinned out over a long call, first and last among them', () => {
  const control = new ControlStatistics();
  for (let n = 0; n < 5_000; n++) {
    const report = senderReport(7, 3_900_000_000 + 5 * n, 40_000 * n);
    control.take(report, 0, report.length, n * 5e9);
  }
  const { reports } = control;
  assert.ok(reports.length <= 130, String(reports.length));
  assert.ok(reports.length >= 64);
  assert.equal(reports[0]?.arrivalNs, 0);
  assert.equal(reports.at(-1)?.arrivalNs, 4_999 * 5e9);
  assert.deepEqual(reports.at(-1)?.timestamp, 40_000 * 4_999);
  const gaps = reports.slice(1, -1).map(({ arrivalNs }, i) => arrivalNs - reports[i]!.arrivalNs);
  assert.equal(new Set(gaps).size, 1);
  assert.equal(control.lastReportOf(7)?.arrivalNs, 4_999 * 5e9);
});

test('what a sender says after its BYE is late, and not the BYE itself', () => {
  const control = new ControlStatistics();
  const report = senderReport(7, 3_900_000_000, 0);
  const last = Buffer.concat([report, formatBye(7)]);
  control.take(last, 0, last.length, 1);
  assert.equal(control.late, 0);
  control.take(report, 0, report.length, 2);
  control.take(last, 0, last.length, 3);
  const other = senderReport(8, 3_900_000_000, 0);
  control.take(other, 0, other.length, 4);
  assert.equal(control.late, 2);
  assert.equal(control.packets, 4);
});

/** Repeatable noise. */
const noise = (seed: number) => () => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;

  return seed / 0x100000000;
};

test('no damage to RTCP makes it read past its end, or throw, or count more than came', () => {
  const whole = Buffer.concat([senderReport(7, 3_900_000_000, 1), formatCname(7, 'name'), formatBye(7)]);
  const random = noise(11);
  for (let round = 0; round < 20_000; round++) {
    const bytes = Buffer.from(whole.subarray(0, Math.floor(random() * (whole.length + 1))));
    for (let flips = Math.floor(random() * 6); flips > 0 && bytes.length > 0; flips--) {
      const at = Math.floor(random() * bytes.length);
      bytes[at] = bytes[at]! ^ (1 << Math.floor(random() * 8));
    }
    // Behind the datagram lies another: nothing of it may be seen.
    const run = Buffer.concat([bytes, senderReport(0x99999999, 3_900_000_000, 1), formatBye(0x99999999)]);
    walkRtcp(run, 0, bytes.length, {
      senderReport: (ssrc, at) => {
        assert.ok(at + 28 <= bytes.length);
        assert.notEqual(ssrc, 0x99999999);
      },
      bye: (ssrc) => assert.notEqual(ssrc, 0x99999999),
    });
    new ControlStatistics().take(bytes, 0, bytes.length, 0);
  }
});
