// `npm run bench:capture`: what it costs to record RTP, by the product's two packet sources, a C program of the same shape, and rtpengine.
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildAddon } from '../../../libs/rtp/native/build.mjs';
import { measure } from './measure.ts';
import type { Receiver, Run } from './measure.ts';
import { compile, realTime } from './programs.ts';
import { startFloor, startProduct } from './receivers.ts';
import type { Place } from './receivers.ts';
import { startRtpengine } from './rtpengine.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '8' },
    repeat: { type: 'string', default: '3' },
    calls: { type: 'string', default: '1000' },
    most: { type: 'string', default: '2500' },
    /** Names of approaches, by commas: the others, and their ratios, are left out. */
    only: { type: 'string' },
  },
});

const [calls, most, seconds] = [Number(values.calls), Number(values.most), Number(values.seconds)];
const receiverCore = availableParallelism() > 1 ? 1 : undefined;
const say = (line: string): void => void process.stderr.write(`${line}\n`);

const dir = await mkdtemp(join(tmpdir(), 'reelstream-capture-'));
const place: Place = { dir, core: receiverCore };
const [sender, floor] = [await compile('sender', dir), await compile('floor', dir)];
if (!(await buildAddon())) throw new Error('the native packet source could not be built');

const run = async (name: string, start: () => Promise<Receiver>): Promise<Run> => {
  await using receiver = await start();
  const result = await measure(receiver, { sender, core: 0, seconds });
  say(
    `${name}: ${result.calls} calls, ${result.pps} packets/s, loss ${result.loss}, ` +
      `${result.cpuPerMillion} CPU-seconds per million, ${Math.round(100 * result.cpuShare)} % of the core ` +
      `(sender ${Math.round(100 * result.senderCpuShare)} %, its worst tick ${result.latestTickMs} ms late)`,
  );

  return result;
};

/** What others do on this machine only ever adds: the least of some runs is nearest to the truth. */
const least = (runs: readonly Run[]): Run =>
  runs.reduce((best, other) => (other.cpuPerMillion < best.cpuPerMillion ? other : best));

const approaches = {
  floor: () => startFloor(floor, calls, place),
  native: () => startProduct('native', calls, place),
  dgram: () => startProduct('dgram', Math.round(calls * 0.75), place),
  // More than half would be near to all that it takes on one core.
  rtpengine: () => startRtpengine(calls / 2, place),
};

type Name = keyof typeof approaches;
const names = (Object.keys(approaches) as Name[]).filter(
  (name) => values.only?.split(',').includes(name) ?? true,
);

try {
  const runs: Partial<Record<Name, Run[]>> = {};
  // In turns, so that a busy minute of the machine falls on all of them.
  for (let i = 0; i < Number(values.repeat); i++) {
    for (const name of names) (runs[name] ??= []).push(await run(name, approaches[name]));
  }
  const found = Object.fromEntries(Object.entries(runs).map(([name, all]) => [name, least(all)])) as Partial<
    Record<Name, Run>
  >;
  const atMost = most > 0 ? await run('native', () => startProduct('native', most, place)) : undefined;
  const ratio = (a: Run | undefined, b: Run | undefined): number | undefined =>
    a && b && Math.round((100 * a.cpuPerMillion) / b.cpuPerMillion) / 100;
  const result = {
    ...found,
    ratios: {
      nativeToFloor: ratio(found.native, found.floor),
      nativeToRtpengine: ratio(found.native, found.rtpengine),
      dgramToFloor: ratio(found.dgram, found.floor),
    },
    atMost,
    runs,
    realTime,
    pinned: receiverCore !== undefined,
    loadAverage: loadavg()[0],
  };
  console.log(JSON.stringify(result, undefined, values.json ? undefined : 2));
} finally {
  await rm(dir, { recursive: true, force: true });
}
