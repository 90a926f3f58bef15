import { readdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, runCommand } from '@reelstream/testing';
import { cpuMsOf } from '../../support/cpu.ts';
import { startSystem } from '../../support/system.ts';
import type { System } from '../../support/system.ts';
import { droppedAt } from '../../support/udp-drops.ts';
import { Calls } from '../support/calls.ts';
import type { RunningCall } from '../support/calls.ts';
import { endCalls, packetsOf } from '../support/ended-calls.ts';
import { pidOf } from '../support/processes.ts';
import { Sealed } from '../support/sealed.ts';
import { openSender } from '../support/sender.ts';

export type SealingLoad = {
  readonly calls: number;
  /** What receives their media. */
  readonly packetSource: 'native' | 'dgram';
  /** Whether others end meanwhile, and are sealed; otherwise they end when the media has ended. */
  readonly endsOthers: boolean;
};

export type SealingFigures = {
  readonly calls: number;
  readonly packetsPerSecond: number;
  readonly sent: number;
  readonly notSent: number;
  readonly kept: number;
  readonly dropped: number;
  readonly latestTickMs: number;
  /** Of its one core, while the media came. */
  readonly corePercent: number;
  readonly idleThreads: number;
  /** Before the last packet was sent. */
  readonly sealedMeanwhile: number;
  readonly deletedMeanwhile: number;
  /** From the last packet that was sent until all of the others were sealed and deleted. */
  readonly doneAfterMs: number;
  /** From the end of a call until it was sealed, at the longest. */
  readonly longestSealMs: number;
};

const voices = 2;
const ending = 100;
const earlierSeconds = 10;
const settleSeconds = 2;
const seconds = 25;

/** proc(5), field 41 of a thread's stat: SCHED_IDLE is 5. */
const idleThreadsOf = async (pid: number): Promise<number> => {
  const tasks = `/proc/${pid}/task`;
  const stats = await Promise.all(
    (await readdir(tasks)).map((thread) => readFile(`${tasks}/${thread}/stat`, 'latin1').catch(() => '')),
  );

  return stats.filter((stat) => stat.slice(stat.lastIndexOf(')') + 2).split(' ')[38] === '5').length;
};

/** The last core is for capture alone, as far as it is ours to say. */
const giveCore = async (system: System, capture: number): Promise<void> => {
  const last = availableParallelism() - 1;
  const run = join(system.dataDir, 'run');
  const names = (await readdir(run)).filter((name) => name.endsWith('.json'));
  for (const name of names) {
    const pid = await pidOf(system, name.replace(/\.json$/, '')).catch(() => undefined);
    if (pid === undefined) continue;
    const cores = pid === capture ? String(last) : `0-${Math.max(0, last - 1)}`;
    await runCommand({ file: 'taskset', args: ['--all-tasks', '-cp', cores, String(pid)] });
  }
};

/** Running calls that keep one core busy, which is all that capture has, and others beside them that end, are sealed and deleted. */
export const measureSealing = async ({
  calls: wanted,
  packetSource,
  endsOthers,
}: SealingLoad): Promise<SealingFigures> => {
  const sipPort = await freePort();
  await using system = await startSystem({
    REEL_CAPTURE_SIP_PORT: String(sipPort),
    REEL_CAPTURE_CAPACITY: String(voices * (wanted + ending)),
    REEL_MEDIA_WORKERS: '1',
    REEL_PACKET_SOURCE: packetSource,
  });
  await using home = await Calls.open(sipPort);
  const send = await openSender(system.dataDir);
  const calls = await home.placeAll(wanted, voices);
  const others = await home.placeAll(ending, voices);
  const portsOf = (some: readonly RunningCall[]): readonly number[] =>
    some.flatMap(({ rtpPorts }) => rtpPorts);
  const before = await send(portsOf(others), earlierSeconds);
  const pid = await pidOf(system, 'capture');
  await giveCore(system, pid);
  const cpuBefore = await cpuMsOf([pid]);
  const sending = send(portsOf(calls), seconds);
  await sleep(settleSeconds * 1_000);
  const sealed = new Sealed(system.dataDir);
  const done = { sealed: 0, deleted: 0 };
  let doneAt = 0;
  const endOthers = () =>
    endCalls(system, home, sealed, others, (what) => {
      done[what] += 1;
      doneAt = performance.now();
    });
  const meanwhileEnded = endsOthers ? endOthers() : undefined;
  // Waited for below, after what must be read first.
  meanwhileEnded?.catch(() => undefined);
  const run = await sending;
  const sentAt = performance.now();
  const cpuMs = (await cpuMsOf([pid])) - cpuBefore;
  const meanwhile = { ...done };
  const dropped = await Promise.all(portsOf(calls).map(droppedAt));
  const idleThreads = await idleThreadsOf(pid);
  const { packets, longestMs } = await (meanwhileEnded ?? endOthers());
  await home.hangUp(calls);
  const kept = await Promise.all([...calls, ...others].map((call) => packetsOf(sealed, call, packets)));
  const sum = (counts: readonly number[]): number => counts.reduce((all, count) => all + count, 0);

  return {
    calls: calls.length,
    packetsPerSecond: Math.round(run.sent / seconds),
    sent: before.sent + run.sent,
    notSent: before.failed + run.failed,
    kept: sum(kept),
    dropped: sum(dropped),
    latestTickMs: run.latestTickMs,
    corePercent: Math.round(cpuMs / (10 * seconds)),
    idleThreads,
    sealedMeanwhile: meanwhile.sealed,
    deletedMeanwhile: meanwhile.deleted,
    doneAfterMs: Math.round(Math.max(0, doneAt - sentAt)),
    longestSealMs: Math.round(longestMs),
  };
};
