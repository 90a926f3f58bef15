import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CallError,
  placeBibLeg,
  placeCubeCall,
  placeDirectCall,
  placeSiprecCall,
  sampleConversation,
} from '@reelstream/testing/callers';
import type { CallLeg, PlacedCall } from '@reelstream/testing/callers';

export const waysIn = ['siprec', 'bib', 'cube', 'direct'] as const;
export type WayIn = (typeof waysIn)[number];

/** A call that is over. */
export type DoneCall = {
  readonly way: WayIn;
  /** Of its dialogs: a forked call has two. */
  readonly callIds: readonly string[];
  /** Packets, of all its streams. */
  readonly sent: number;
  /** How often it was refused or not answered before it was taken. */
  readonly refused: number;
  /** What the BYEs were answered with. */
  readonly byes: readonly number[];
};

const takenWithinMs = 20_000;
const tryAgainMs = 200;

const { agent, customer } = sampleConversation();
const near: CallLeg = {
  codec: 'PCMU',
  audio: { samples: agent },
  address: 'sip:7301@192.0.2.10',
  name: 'Agent',
};
const far: CallLeg = {
  codec: 'PCMU',
  audio: { samples: customer },
  address: 'sip:7300@192.0.2.10',
  name: 'Customer',
};

/** The dialogs of a call that comes this way, to be placed one after the other. */
const dialogsOf = (
  way: WayIn,
  target: string,
  durationMs: number,
): readonly (() => Promise<PlacedCall>)[] => {
  switch (way) {
    case 'siprec':
      return [() => placeSiprecCall({ target, durationMs, legs: [near, far] })];
    case 'cube':
      return [() => placeCubeCall({ target, durationMs, legs: [near, far] })];
    case 'direct':
      return [() => placeDirectCall({ target, durationMs, legs: [near] })];
    case 'bib': {
      const refCi = randomUUID().slice(0, 8);
      const bridge = {
        refCi,
        farEndRefCi: `${refCi}-far`,
        nearEndDevice: 'SEP001122334455',
        nearEndAddress: '7301',
        farEndDevice: 'trunk',
        farEndAddress: '7300',
        clusterId: 'standalone',
      };

      return [
        () => placeBibLeg({ target, durationMs, side: 'near', bridge, leg: near }),
        () => placeBibLeg({ target, durationMs, side: 'far', bridge, leg: far }),
      ];
    }
  }
};

/** An INVITE of which no more than a 100 has come by then will not be answered: who was to answer it is gone. */
const patienceMs = 5_000;

/** Undefined where it was refused or nobody answered in time; who answers later is told that nobody is there any more. */
const attempt = async (place: () => Promise<PlacedCall>): Promise<PlacedCall | undefined> => {
  const placing = place().catch((error: unknown) => {
    if (error instanceof CallError) return undefined;
    throw error;
  });
  const taken = await Promise.race([placing, sleep(patienceMs, 'late' as const, { ref: false })]);
  if (taken !== 'late') return taken;
  placing.then((call) => call?.hangUp()).catch(() => undefined);

  return undefined;
};

/** As a controller does: what is refused or not answered is placed again. */
const untilTaken = async (
  place: () => Promise<PlacedCall>,
): Promise<{ readonly call: PlacedCall; readonly refused: number }> => {
  for (let refused = 0, until = performance.now() + takenWithinMs; ; refused += 1) {
    const call = await attempt(place);
    if (call) return { call, refused };
    if (performance.now() > until) throw new Error(`a call was not taken within ${takenWithinMs} ms`);
    await sleep(tryAgainMs);
  }
};

/** A call from its INVITE to the answer to its BYE, by way of the pilot at `target`. */
export const holdCall = async (way: WayIn, target: string, durationMs: number): Promise<DoneCall> => {
  const taken: { call: PlacedCall; refused: number }[] = [];
  for (const place of dialogsOf(way, target, durationMs)) taken.push(await untilTaken(place));
  const calls = taken.map(({ call }) => call);
  await Promise.all(calls.map(({ mediaSent }) => mediaSent));
  const byes = await Promise.all(calls.map((call) => call.hangUp().catch(() => 0)));

  return {
    way,
    callIds: calls.map(({ callId }) => callId),
    sent: calls.flatMap(({ sent }) => sent).reduce((sum, { packets }) => sum + packets, 0),
    refused: taken.reduce((sum, { refused }) => sum + refused, 0),
    byes,
  };
};
