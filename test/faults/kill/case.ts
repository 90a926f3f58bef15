import type { FaultCase, FaultRow } from '../fault-case.ts';
import { measureKill } from './measure.ts';
import type { Fault, KillFigures } from './measure.ts';
import type { UnderWayFigures } from './under-way.ts';

const usualCalls = 100;
const callsUnderWay = 10;

const faults: readonly Fault[] = [
  { killed: ['capture'] },
  { killed: ['sip-capture'] },
  { killed: ['capture', 'sip-capture'] },
  { killed: ['capture'], frozen: ['nats', 'postgres'] },
];

const rowOf = (found: KillFigures): FaultRow => {
  const { killed, frozen, calls, sent, kept, lost, requests, closedNormal, marked } = found;
  const all = (name: string, count: number, of = calls) => ({ name, found: count, atLeast: of, atMost: of });

  return {
    fault: `SIGKILL of ${killed.join(' and ')}${frozen ? `, ${frozen.join(' and ')} frozen` : ''}`,
    unit: 'packets',
    sent,
    kept,
    lost,
    gapMs: found.longestGapMs,
    figures: {
      calls,
      'median gap, ms': found.gapMs,
      'slowest request, ms': requests.longestMs,
      'longest shift, ms': found.longestShiftMs,
    },
    limits: [
      { name: 'age of the oldest missing packet at the kill, ms', found: found.lostBeforeMs, atMost: 1_000 },
      { name: 'longest gap, ms', found: found.longestGapMs, atMost: 2_000 },
      all('sessions that ended in good order', closedNormal),
      all('sessions with a marked gap', marked, killed.includes('capture') ? calls : 0),
      all('requests answered', requests.answered, requests.sent),
    ],
  };
};

const rowOfUnderWay = (found: UnderWayFigures): FaultRow => {
  const { calls, answered, longestMs, sent, kept, sessions, closedNormal } = found;
  const all = (name: string, count: number) => ({ name, found: count, atLeast: calls, atMost: calls });

  return {
    fault: 'SIGKILL of sip-capture, callers told to wait',
    unit: 'packets',
    sent,
    kept,
    lost: sent - kept,
    figures: { calls, 'longest wait, ms': longestMs },
    limits: [
      all('calls answered', answered),
      all('sessions that began', sessions),
      all('sessions that ended in good order', closedNormal),
      { name: 'longest wait, ms', found: longestMs, atMost: 3_000 },
      { name: 'packets lost', found: sent - kept, atMost: 0 },
    ],
  };
};

export const killCase: FaultCase = {
  name: 'kill',
  does: 'kills capture, its SIP server, both, and capture without bus and database, under load: calls go on within 2 s, and those that wait for an answer get it within 3',
  limitMinutes: 10,
  run: async ({ seed, calls = usualCalls }) => {
    const { running, underWay } = await measureKill({ calls, faults, seed, underWay: callsUnderWay });

    return [...running.map(rowOf), rowOfUnderWay(underWay)];
  },
};
