import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PublicSession } from '@reelstream/events';
import { readManifest, readRtpdump, rtpdumpFile } from '@reelstream/recording';
import { freePort, waitFor } from '@reelstream/testing';
import { readWav } from '../../support/audio.ts';
import { randomFrom } from '../../support/random.ts';
import { startSystem } from '../../support/system.ts';
import type { System } from '../../support/system.ts';
import { askAll } from '../support/ask-all.ts';
import { Calls } from '../support/calls.ts';
import { pidOf } from '../support/processes.ts';
import { closedSession, Sealed } from '../support/sealed.ts';
import type { SealedFolder } from '../support/sealed.ts';
import { Voices } from '../support/voices.ts';

export type AwayFigures = {
  readonly calls: number;
  readonly awayMs: number;
  /** From the kill until the API said so of every session. */
  readonly interruptedAfterMs: number;
  readonly sent: number;
  readonly kept: number;
  /** From the kill to the first packet that was kept after it, at the longest; Infinity where none was. */
  readonly gapMs: number;
  /** Of what was sent before the kill, how old the oldest missing packet was at it. */
  readonly lostBeforeMs: number;
  readonly requests: { readonly sent: number; readonly answered: number };
  readonly closedNormal: number;
  readonly closedError: number;
  readonly marked: number;
  /** Manifests that say that nobody sealed them in time. */
  readonly recovered: number;
  /** Exports that can be heard to the end of what was kept. */
  readonly playable: number;
};

const recordsMs = 3_000;
const spreadMs = 1_000;
const returnedMs = 6_000;
const asked = 20;
const exported = 5;

type Away = {
  readonly calls: number;
  readonly seed: number;
  readonly awayMs: number;
  /** Of the node: whether it takes up its sessions after that time. */
  readonly resumes: boolean;
};

/** Calls at a whole system whose capture is killed, and is not started again for a while. */
export const measureAway = async ({ calls: wanted, seed, awayMs, resumes }: Away): Promise<AwayFigures> => {
  const sipPort = await freePort();
  await using system = await startSystem({
    REEL_CAPTURE_SIP_PORT: String(sipPort),
    ...(resumes ? {} : { REEL_RESUME_LIMIT_MS: '1000' }),
  });
  await using controller = await Calls.open(sipPort);
  const calls = await controller.placeAll(wanted);
  const voices = await Voices.open(calls);
  await sleep(recordsMs + randomFrom(seed).below(spreadMs));
  // Who restarts it stands still, as a machine's supervisor that is gone with it.
  process.kill(system.pid, 'SIGSTOP');
  process.kill(await pidOf(system, 'capture'), 'SIGKILL');
  const killedAt = performance.now();
  await waitFor(() => allAre(system, wanted, 'INTERRUPTED'), {
    deadlineMs: 30_000,
    everyMs: 100,
    describe: 'the sessions of a node that is away are not INTERRUPTED',
  });
  const interruptedAfterMs = Math.round(performance.now() - killedAt);
  await sleep(Math.max(0, killedAt + awayMs - performance.now()));
  process.kill(system.pid, 'SIGCONT');
  await sleep(returnedMs);
  const answers = resumes ? await askAll(controller, calls.slice(0, asked)) : [];
  await voices.stop();
  if (resumes) await controller.hangUp(calls);
  const sealed = new Sealed(system.dataDir);
  const folders = await Promise.all(calls.map(({ callId }) => sealed.find(callId)));
  const manifests = await Promise.all(folders.map(({ folder }) => readManifest(folder)));
  const sessions = await Promise.all(folders.map(({ sessionId }) => closedSession(system, sessionId)));
  const kept = await Promise.all(folders.map(beatsIn));
  const inState = (state: PublicSession['state']): number =>
    sessions.filter((session) => session.state === state).length;

  return {
    calls: calls.length,
    awayMs,
    interruptedAfterMs,
    sent: calls.length * voices.sentAt.length,
    kept: kept.reduce((sum, beats) => sum + beats.size, 0),
    lostBeforeMs: Math.round(Math.max(...kept.map((beats) => lostBefore(voices, killedAt, beats)))),
    gapMs: Math.round(Math.max(...kept.map((beats) => gapOf(voices, killedAt, beats)))),
    requests: { sent: answers.length, answered: answers.filter(({ isRight }) => isRight).length },
    closedNormal: inState('CLOSED_NORMAL'),
    closedError: inState('CLOSED_ERROR'),
    marked: sessions.filter(({ interruptions = [] }) => interruptions.length === 1).length,
    recovered: manifests.filter(({ recovered }) => recovered === true).length,
    playable: await countPlayable(
      system,
      folders
        .slice(0, exported)
        .map(({ sessionId }, at) => ({ sessionId, ms: manifests[at]?.durationMs ?? 0 })),
    ),
  };
};

const allAre = async (
  system: System,
  count: number,
  state: PublicSession['state'],
): Promise<true | undefined> => {
  const { items } = await system.json<{ readonly items: readonly PublicSession[] }>('/sessions?limit=200');

  return items.filter((session) => session.state === state).length === count ? true : undefined;
};

/** The beats whose packets a recording of one voice holds. */
export const beatsIn = async ({ folder }: SealedFolder): Promise<ReadonlySet<number>> => {
  const beats = new Set<number>();
  for await (const { packet } of readRtpdump(join(folder, rtpdumpFile(0))))
    beats.add(Buffer.from(packet).readUInt16BE(2));

  return beats;
};

const lostBefore = ({ sentAt }: Voices, killedAt: number, beats: ReadonlySet<number>): number => {
  const missing = sentAt.find((at, beat) => at < killedAt && !beats.has(beat));

  return missing === undefined ? 0 : killedAt - missing;
};

const gapOf = ({ sentAt }: Voices, killedAt: number, beats: ReadonlySet<number>): number =>
  (sentAt.find((at, beat) => at > killedAt && beats.has(beat)) ?? Infinity) - killedAt;

/** How many of these recordings are as long as they should be, and not silent. */
export const countPlayable = async (
  system: System,
  recordings: readonly { readonly sessionId: string; readonly ms: number }[],
): Promise<number> => {
  let playable = 0;
  for (const { sessionId, ms } of recordings) {
    const response = await system.api(`/sessions/${sessionId}/recording.wav`);
    const { sampleRate, channels } = readWav(Buffer.from(await response.arrayBuffer()));
    const samples = channels[0] ?? new Int16Array();
    const isHeard = samples.some((sample) => sample !== 0);
    if (isHeard && Math.abs((samples.length / sampleRate) * 1_000 - ms) < 100) playable += 1;
  }

  return playable;
};
