import { isKept, isPassed } from './fault-case.ts';
import type { FaultRow, Limit } from './fault-case.ts';

/** What became of a case; `error` where it could not be carried through. */
export type CaseReport = {
  readonly name: string;
  readonly seed: number;
  readonly seconds: number;
  readonly passed: boolean;
  readonly rows: readonly FaultRow[];
  readonly error?: string;
  readonly hangs?: boolean;
};

const limitText = ({ name, found, atMost, atLeast }: Limit): string =>
  [
    `${name} is ${found}`,
    ...(atLeast === undefined ? [] : [`must be ${atLeast} or more`]),
    ...(atMost === undefined ? [] : [`must be ${atMost} or less`]),
  ].join(', ');

const rowText = (row: FaultRow): string => {
  const { fault, unit, sent, kept, lost, gapMs, figures = {}, limits } = row;
  const words = [
    `sent ${sent} ${unit}, kept ${kept}, lost ${lost}`,
    ...(gapMs === undefined ? [] : [`gap ${gapMs} ms`]),
    ...Object.entries(figures).map(([name, value]) => `${name} ${value}`),
  ];

  return [
    `  ${isPassed(row) ? 'passed' : 'FAILED'}  ${fault}: ${words.join(', ')}`,
    ...limits.filter((limit) => !isKept(limit)).map((limit) => `          ${limitText(limit)}`),
  ].join('\n');
};

/** For people; the JSON is the report itself. */
export const reportText = ({ name, seed, seconds, passed, rows, error }: CaseReport): string =>
  [
    `${name}: ${passed ? 'passed' : 'FAILED'} in ${seconds} s (seed ${seed})`,
    ...rows.map(rowText),
    ...(error === undefined ? [] : [`  ${error}`]),
  ].join('\n');
