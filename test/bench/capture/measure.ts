import { setTimeout as pause } from 'node:timers/promises';
import { runCommand } from '@reelstream/testing';
import { cpuSeconds } from './programs.ts';

/** One approach while it receives. */
export type Receiver = AsyncDisposable & {
  readonly pid: number;
  /** Where it wants the packets of each stream. */
  readonly ports: readonly number[];
  /** Ends what it records; how many RTP packets it has kept in all. */
  kept(): Promise<number>;
};

export type Run = {
  readonly calls: number;
  readonly pps: number;
  readonly sent: number;
  readonly kept: number;
  /** Of what was sent. */
  readonly loss: number;
  /** CPU-seconds of the receiver's process per million packets, after warming up. */
  readonly cpuPerMillion: number;
  /** Of one core. */
  readonly cpuShare: number;
  readonly senderCpuShare: number;
  readonly latestTickMs: number;
};

type Sent = {
  readonly sent: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly latestTickMs: number;
};

/** So long Node compiles what turns out to run often. */
const warmUpSeconds = 6;
/** The last beat, and the writes that follow it. */
const settleMs = 400;
const round = (value: number, digits: number): number => Number(value.toFixed(digits));

/** Sends to a receiver: to warm up, and then for `seconds` to be judged. Loss is counted over both. */
export const measure = async (
  receiver: Receiver,
  { sender, core, seconds }: { readonly sender: string; readonly core: number; readonly seconds: number },
): Promise<Run> => {
  const input = receiver.ports.join('\n');
  const send = async (howLong: number, ssrc: number): Promise<Sent> => {
    const args = [String(core), String(howLong), String(ssrc)];

    return JSON.parse(await runCommand({ file: sender, args }, { input })) as Sent;
  };
  const warmUp = await send(warmUpSeconds, 1_000);
  await pause(settleMs);
  const before = await cpuSeconds(receiver.pid);
  const run = await send(seconds, 1_000_000);
  await pause(settleMs);
  const cpu = (await cpuSeconds(receiver.pid)) - before;
  const sent = warmUp.sent + run.sent;
  const kept = await receiver.kept();

  return {
    calls: receiver.ports.length / 2,
    pps: Math.round(run.sent / run.seconds),
    sent,
    kept,
    loss: round((sent - kept) / sent, 6),
    cpuPerMillion: round((cpu / run.sent) * 1e6, 3),
    cpuShare: round(cpu / run.seconds, 3),
    senderCpuShare: round(run.cpuSeconds / run.seconds, 3),
    latestTickMs: Math.max(warmUp.latestTickMs, run.latestTickMs),
  };
};
