import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FaultCase, FaultRow } from '../fault-case.ts';
import { onOwnMounts } from '../support/own-mounts.ts';
import { measureDisk } from './measure.ts';
import { measurePlacement } from './placement.ts';
import { spoiltDisks } from './spoilt-disk.ts';
import type { SpoiltDisk } from './spoilt-disk.ts';

const usualCalls = 50;
const packetsPerSecond = 50;
const mostPlayed = 5;
/** What a node may miss of each call where what it holds can't be written any more: three seconds, one look, and the beat. */
const mostMissedMs = 5_000;

const rowOf = async (disk: SpoiltDisk, wanted: number): Promise<FaultRow> => {
  const found = await measureDisk(disk, wanted);
  const { sent, kept, gapMs, calls } = found;
  const mostLost = disk.losesMedia ? (calls * packetsPerSecond * mostMissedMs) / 1_000 : 0;

  return {
    fault: disk.name,
    unit: 'packets until the calls were hung up',
    sent,
    kept,
    lost: sent - kept,
    gapMs,
    figures: {
      calls,
      'said after, ms': found.saidAfterMs,
      'a call was taken after, ms': found.takenAfterMs,
      playable: found.playable,
    },
    limits: [
      { name: 'lost', found: sent - kept, atMost: mostLost, atLeast: 0 },
      { name: 'gap, ms', found: gapMs, atMost: disk.losesMedia ? mostMissedMs : 100 },
      { name: 'said after, ms', found: found.saidAfterMs, atMost: 5_000 },
      {
        name: 'calls and OPTIONS answered 503',
        found: found.refusals.filter((status) => status === 503).length,
        atLeast: 4,
      },
      { name: 'calls that were hung up', found: found.hungUp, atLeast: calls },
      { name: 'sessions that ended for want of storage', found: found.ended, atLeast: calls },
      { name: 'recordings that can be heard', found: found.playable, atLeast: Math.min(mostPlayed, calls) },
      { name: 'a call was taken after, ms', found: found.takenAfterMs, atMost: 10_000 },
      { name: 'capture lives on', found: Number(found.sameProcess), atLeast: 1 },
    ],
  };
};

const placementRow = async (): Promise<FaultRow> => {
  const { calls, placed, levels } = await measurePlacement();

  return {
    fault: 'one of two nodes fills up, becomes critical, then full, and is freed',
    unit: 'calls placed by the levels',
    sent: calls,
    kept: placed,
    lost: calls - placed,
    figures: { 'node.storage-changed': levels.join(' ') },
    limits: [
      { name: 'calls placed by the levels', found: placed, atLeast: calls },
      {
        name: 'levels told in order',
        found: Number(levels.join() === 'CRITICAL,EMERGENCY,NORMAL'),
        atLeast: 1,
      },
    ],
  };
};

export const diskCase: FaultCase = onOwnMounts({
  name: 'disk',
  does: 'fills the disk, makes it read-only, breaks one file under 50 calls: they end with what they have, and calls are taken again by itself; one full node of two gets no calls',
  limitMinutes: 8,
  run: async ({ calls = usualCalls }) => {
    const folder = await mkdtemp(join(tmpdir(), 'spoilt-'));
    try {
      const rows: FaultRow[] = [];
      for (const disk of await spoiltDisks(folder)) {
        if (disk.obstacle !== undefined) throw new Error(`${disk.name}: ${disk.obstacle}`);
        rows.push(await rowOf(disk, calls));
      }
      rows.push(await placementRow());

      return rows;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
});
