import type { FaultCase } from './fault-case.ts';
import { freezeCase } from './freeze/case.ts';
import { killCase } from './kill/case.ts';
import { pairsCase } from './pairs/case.ts';
import { tornCase } from './torn/case.ts';

/** In the order in which they are run. */
export const faultCases: readonly FaultCase[] = [killCase, freezeCase, pairsCase, tornCase];
