import type { FaultCase } from './fault-case.ts';
import { awayCase } from './away/case.ts';
import { besideCase } from './beside/case.ts';
import { budgetCase } from './budget/case.ts';
import { diskCase } from './disk/case.ts';
import { freezeCase } from './freeze/case.ts';
import { killCase } from './kill/case.ts';
import { outageCase } from './outage/case.ts';
import { pairsCase } from './pairs/case.ts';
import { retentionCase } from './retention/case.ts';
import { sealingCase } from './sealing/case.ts';
import { servicesCase } from './each-service/case.ts';
import { soakCase } from './soak/case.ts';
import { tornCase } from './torn/case.ts';

/** In the order in which they are run. */
export const faultCases: readonly FaultCase[] = [
  killCase,
  servicesCase,
  awayCase,
  outageCase,
  diskCase,
  retentionCase,
  budgetCase,
  freezeCase,
  besideCase,
  sealingCase,
  pairsCase,
  soakCase,
  tornCase,
];
