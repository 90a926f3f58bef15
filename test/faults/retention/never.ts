import { setTimeout as sleep } from 'node:timers/promises';
import { isThere, listRecordings, manifestFile, recordingFolder } from '@reelstream/recording';
import { freePort, SmallDisk, waitFor } from '@reelstream/testing';
import { join } from 'node:path';
import { Calls } from '../support/calls.ts';
import { packetsOf } from '../support/ended-calls.ts';
import { placeByPilot } from '../support/new-calls.ts';
import { askForMore } from '../support/refusals.ts';
import { Sealed } from '../support/sealed.ts';
import { levelIs } from '../support/storage.ts';
import { Voices } from '../support/voices.ts';
import { startSystemOn } from './system-on-disk.ts';

export type NeverFigures = {
  readonly calls: number;
  readonly sent: number;
  readonly kept: number;
  /** What a call and OPTIONS are answered by pilot and home while the disk is critical, asked over and over. */
  readonly answers: readonly number[];
  readonly hungUp: number;
  /** Recordings that were sealed when it became critical, and how many of them are whole when it is so no more. */
  readonly recordings: number;
  readonly whole: number;
  /** As the status counts it. */
  readonly pruned: number;
  /** From when there was room again until a call was taken over the pilot. */
  readonly takenAfterMs: number;
};

const mebibytesPerCall = 1.6;
const ended = 10;
const recordsMs = 3_000;
/** Retention looks every five seconds. */
const criticalMs = 12_000;
const askEveryMs = 1_000;
const patience = { deadlineMs: 30_000, everyMs: 100 };

type Status = { readonly retention: { readonly pruned: number } };

/** Calls at a whole system whose disk is critical for a while, and whose recordings are all to be kept. */
export const measureNever = async (wanted: number): Promise<NeverFigures> => {
  const sipPort = await freePort();
  const disk = new SmallDisk(Math.ceil(mebibytesPerCall * wanted));
  await using system = await startSystemOn(disk, {
    REEL_CAPTURE_SIP_PORT: String(sipPort),
    REEL_CAPTURE_CAPACITY: String(2 * wanted + ended),
    REEL_RETENTION: 'never',
  });
  await using home = await Calls.open(sipPort);
  await using pilot = await Calls.open(system.sipPort);
  const [calls, others] = [await home.placeAll(wanted), await home.placeAll(ended)];
  const voices = await Voices.open([...calls, ...others]);
  const sealed = new Sealed(system.dataDir);
  const end = async (call: (typeof others)[number]): Promise<number> => {
    await voices.leave(call);
    await home.hangUp([call]);

    return packetsOf(sealed, call);
  };
  await sleep(recordsMs);
  const early = await Promise.all(others.map(end));
  const recordings = await wholeIn(system.dataDir);
  await disk.fillTo(92);
  await waitFor(() => levelIs(system, 'CRITICAL'), { ...patience, describe: 'nobody says CRITICAL' });
  const answers: number[] = [];
  for (const until = performance.now() + criticalMs; performance.now() < until; await sleep(askEveryMs))
    answers.push(...(await askForMore(pilot, home)));
  const { retention } = await system.json<Status>('/status');
  const whole = new Set(await wholeIn(system.dataDir));
  const hungUp = home.hungUp.size;
  await disk.makeRoom();
  const roomAt = performance.now();
  const { call } = await placeByPilot(pilot, home);
  const takenAfterMs = Math.round(performance.now() - roomAt);
  await voices.stop();
  await home.hangUp([...calls, call]);
  const late = await Promise.all(calls.map((one) => packetsOf(sealed, one)));

  return {
    calls: calls.length + others.length,
    sent: voices.sent,
    kept: [...early, ...late].reduce((all, packets) => all + packets, 0),
    answers,
    hungUp,
    recordings: recordings.length,
    whole: recordings.filter((sessionId) => whole.has(sessionId)).length,
    pruned: retention.pruned,
    takenAfterMs,
  };
};

/** The sessions whose recording is sealed and there. */
const wholeIn = async (dataDir: string): Promise<readonly string[]> => {
  const root = join(dataDir, 'recordings');
  const whole: string[] = [];
  for await (const sessionId of listRecordings(root))
    if (await isThere(join(root, recordingFolder(sessionId), manifestFile))) whole.push(sessionId);

  return whole;
};
