import { setTimeout as pause } from 'node:timers/promises';
import { cpuSeconds, talkTo } from './programs.ts';

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
const warmUpSeconds = 20;
/** The last beat, and the writes that follow it. */
const settleMs = 400;
const round = (value: number, digits: number): number => Number(value.toFixed(digits));

/** Sends to a receiver, which warms up first, and is judged for the `seconds` after that. Loss is counted over both. */
export const measure = async (
  receiver: Receiver,
  { sender, core, seconds }: { readonly sender: string; readonly core: number; readonly seconds: number },
): Promise<Run> => {
  await using talker = talkTo({ file: sender, args: [core, seconds, 1_000, warmUpSeconds].map(String) });
  talker.stdin.end(receiver.ports.join('\n'));
  const warm = JSON.parse(await talker.line()) as Sent;
  const before = await cpuSeconds(receiver.pid);
  const all = JSON.parse(await talker.line()) as Sent;
  await pause(settleMs);
  const cpu = (await cpuSeconds(receiver.pid)) - before;
  const kept = await receiver.kept();
  const judged = { sent: all.sent - warm.sent, seconds: all.seconds - warm.seconds };

  return {
    calls: receiver.ports.length / 2,
    pps: Math.round(judged.sent / judged.seconds),
    sent: all.sent,
    kept,
    loss: round((all.sent - kept) / all.sent, 6),
    cpuPerMillion: round((cpu / judged.sent) * 1e6, 3),
    cpuShare: round(cpu / judged.seconds, 3),
    senderCpuShare: round((all.cpuSeconds - warm.cpuSeconds) / judged.seconds, 3),
    latestTickMs: all.latestTickMs,
  };
};
