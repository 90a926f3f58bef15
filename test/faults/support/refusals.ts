import { unique } from '../../support/sip-text.ts';
import { RefusedError } from './calls.ts';
import type { Calls } from './calls.ts';

/** The status by which a call is refused; 0: it was taken. */
export const refusalOf = async (place: () => Promise<unknown>): Promise<number> => {
  try {
    await place();

    return 0;
  } catch (error) {
    if (error instanceof RefusedError) return error.status;
    throw error;
  }
};

const optionsOf = async (calls: Calls): Promise<number> =>
  (await calls.request('OPTIONS', { callId: unique('options'), to: '', rtpPorts: [], seq: 0 })).status;

/** What pilot and home say to a call each, and to OPTIONS each. */
export const askForMore = (pilot: Calls, home: Calls): Promise<readonly number[]> =>
  Promise.all([
    refusalOf(() => pilot.redirect(unique('fault'))),
    refusalOf(() => home.place()),
    optionsOf(pilot),
    optionsOf(home),
  ]);
