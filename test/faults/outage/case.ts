import type { PublicSession } from '@reelstream/events';
import type { FaultCase, FaultRow, Limit } from '../fault-case.ts';
import { measureOutage } from './measure.ts';
import type { Away, OutageFigures } from './measure.ts';

const usualCalls = 24;
const outages: readonly Away[] = [['nats'], ['postgres'], ['nats', 'postgres']];

const packetMs = 20;
/** A killed home may have lost the last second that had come, beside the time in which there was none. */
const mostLostBeside = 50;

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
const gapsOf = (sessions: readonly PublicSession[]): readonly number[] =>
  sessions.flatMap(({ interruptions = [] }) => interruptions.map(({ durationMs }) => durationMs));
const keptOf = (sessions: readonly PublicSession[]): number =>
  sum(sessions.flatMap(({ tracks }) => tracks.map(({ packets = 0 }) => packets)));

/** What each call has lost, beside what was sent in the gap that its session tells of; by stream. */
const lossesOf = ({ calls, sessions }: OutageFigures) =>
  calls.map(({ sent }, index) => {
    const became = sessions[index] ?? [];
    const gaps = gapsOf(became);
    const streams = Math.max(1, ...became.map(({ tracks }) => tracks.length));

    return {
      isCut: gaps.length > 0,
      lost: (sent - keptOf(became)) / streams - Math.max(0, ...gaps) / packetMs,
    };
  });

const limitsOf = (found: OutageFigures): readonly Limit[] => {
  const { calls, sessions, told, lostAlive, reconciled } = found;
  const all = (name: string, count: number, of: number) => ({ name, found: count, atLeast: of, atMost: of });
  const most = (name: string, numbers: readonly number[], atMost: number) => ({
    name,
    found: Math.round(Math.max(0, ...numbers)),
    atMost,
  });
  const isGood = (became: readonly PublicSession[]): boolean =>
    became.length > 0 && became.every(({ state }) => state === 'CLOSED_NORMAL');
  const byes = calls.flatMap((call) => call.byes);
  const losses = lossesOf(found);

  return [
    all('calls that were recorded to their end', sessions.filter(isGood).length, calls.length),
    all('BYEs answered 200', byes.filter((status) => status === 200).length, byes.length),
    most(
      'packets lost of a call that was not cut',
      losses.map(({ isCut, lost }) => (isCut ? 0 : lost)),
      0,
    ),
    most(
      'packets lost of a stream beside the gap',
      losses.map(({ lost }) => lost),
      mostLostBeside,
    ),
    all('live nodes declared lost', lostAlive.length, 0),
    all('exit code of reel reconcile', reconciled.exitCode, 0),
    all('sessions reconciled', reconciled.sessions, told),
    all('sessions that differ', reconciled.different, 0),
    all('events said twice', reconciled.repeats, 0),
    all('events out of order', reconciled.outOfOrder, 0),
  ];
};

const rowOf = (found: OutageFigures): FaultRow => {
  const { away, forMs, calls, sessions, told, reconciled } = found;
  const sent = sum(calls.map((call) => call.sent));
  const kept = sum(sessions.map(keptOf));
  const odd = calls.flatMap(({ way, byes }) =>
    byes.filter((status) => status !== 200).map((status) => `${way} ${status}`),
  );

  return {
    fault: `${away.join(' and ')} away; pilot, capture and its SIP server killed`,
    unit: 'packets',
    sent,
    kept,
    lost: sent - kept,
    gapMs: Math.round(Math.max(0, ...sessions.flatMap(gapsOf))),
    figures: {
      calls: calls.length,
      sessions: told,
      events: reconciled.events,
      'away for, ms': forMs,
      'calls cut by the kill': sessions.filter((became) => gapsOf(became).length > 0).length,
      'INVITEs sent again': sum(calls.map(({ refused }) => refused)),
      ...(odd.length > 0 && { 'other answers to BYE': odd.join(', ') }),
    },
    limits: limitsOf(found),
  };
};

export const outageCase: FaultCase = {
  name: 'outage',
  does: 'takes bus, database and both away while calls of every kind come, and kills pilot, capture and its SIP server once: all is recorded, every event arrives once',
  limitMinutes: 10,
  run: async ({ seed, calls = usualCalls }) => {
    const rows: FaultRow[] = [];
    for (const away of outages) rows.push(rowOf(await measureOutage({ away, calls, seed })));

    return rows;
  },
};
