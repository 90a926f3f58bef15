/** CPU per packet of reading SRTP, beside plain RTP, in one run: `bench:srtp [--json]`. */
import { randomBytes } from 'node:crypto';
import { cpuUsage, stdout, argv } from 'node:process';
import {
  frameHeaderLength,
  frameKind,
  FrameEditor,
  SrtpSession,
  srtpSuites,
  StreamStatistics,
} from '@reelstream/rtp';
import { transformed, walkFrames, writeFrameHeader } from '@reelstream/rtp';
import { SrtpSender } from '@reelstream/testing/callers';
import type { SrtpSuiteName } from '@reelstream/testing/callers';

const packets = 10_000;
const inARun = 5;
const payloadBytes = 160;

const plainAt = (place: number): Buffer => {
  const packet = Buffer.alloc(12 + payloadBytes, place & 0xff);
  packet.writeUInt16BE(0x8000, 0);
  packet.writeUInt16BE(place & 0xffff, 2);
  packet.writeUInt32BE((place * 160) >>> 0, 4);
  packet.writeUInt32BE(7, 8);

  return packet;
};

/** What a receiving thread is handed on a beat: the frames of a tenth of a second of G.711. */
const runsOf = (packetAt: (place: number) => Buffer): Buffer[] =>
  Array.from({ length: packets / inARun }, (_, run) =>
    Buffer.concat(
      Array.from({ length: inARun }, (_each, at) => {
        const packet = packetAt(run * inARun + at);
        const header = Buffer.alloc(frameHeaderLength);
        const arrivalNs = (run * inARun + at) * 20e6;
        writeFrameHeader(header, 0, { kind: frameKind.rtp, length: packet.length, arrivalNs, slot: 1 });

        return Buffer.concat([header, packet]);
      }),
    ),
  );

/** Microseconds of CPU per packet: decrypted, if `session` is given, and accounted for as capture does. */
const costOf = (runs: readonly Buffer[], session: SrtpSession | undefined): number => {
  const editor = new FrameEditor();
  const statistics = new StreamStatistics(new Map([[0, 8_000]]));
  let rejected = 0;
  const before = cpuUsage();
  for (const run of runs) {
    const frames = session
      ? editor.edit(
          run,
          transformed(run, session, () => void rejected++),
        )
      : run;
    walkFrames(frames, (kind, arrivalNs, at, length) => {
      if (kind === frameKind.rtp) statistics.takeRtp(frames, at, length, arrivalNs);
    });
  }
  const { user, system } = cpuUsage(before);
  if (rejected > 0 || statistics.packets !== packets)
    throw new Error(`${rejected} were rejected, ${statistics.packets} of ${packets} counted`);

  return (user + system) / packets;
};

/** The best of a few: what else the machine does only ever adds. Packets are decrypted where they lie, so each has its own. */
const best = (runs: readonly Buffer[], measure: (copies: readonly Buffer[]) => number): number =>
  Math.min(...Array.from({ length: 5 }, () => measure(runs.map((run) => Buffer.from(run)))));

const results = [
  { name: 'plain RTP', microseconds: best(runsOf(plainAt), (runs) => costOf(runs, undefined)) },
];
for (const { name, keyLength, saltLength } of srtpSuites) {
  const master = { key: randomBytes(keyLength), salt: randomBytes(saltLength) };
  const inline = Buffer.concat([master.key, master.salt]).toString('base64');
  const sender = new SrtpSender(name as SrtpSuiteName, master);
  const sealed = runsOf((place) => sender.protectRtp(plainAt(place), Math.floor(place / 65_536)));
  const measure = (runs: readonly Buffer[]): number =>
    costOf(runs, new SrtpSession({ remote: { suite: name, keys: [{ inline }] } }));
  results.push({ name, microseconds: best(sealed, measure) });
}

const plain = results[0]?.microseconds ?? 0;
const table = results.map(({ name, microseconds }) => ({
  name,
  microseconds,
  overPlainUs: microseconds - plain,
}));
stdout.write(
  argv.includes('--json')
    ? `${JSON.stringify(table)}\n`
    : table
        .map(({ name, microseconds, overPlainUs }) =>
          [
            name.padEnd(26),
            `${microseconds.toFixed(2)} µs`.padStart(10),
            `+${overPlainUs.toFixed(2)} µs`.padStart(11),
          ].join(''),
        )
        .join('\n') + '\n',
);
