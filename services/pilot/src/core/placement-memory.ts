import { TransientMap } from '@reelstream/domain';
import type { CallPlacement, HomeSeen } from '@reelstream/events';

/** Bounds: some 10 MB. */
const mostCalls = 10_000;
const mostOfOneCall = 8;

type Outcome = Pick<CallPlacement, 'outcome' | 'claimedBy'>;

/**
 * One text instead of some forty objects: it is seldom read, and the collector looks at each of them again and again. The
 * homes as they spoke are shared by all calls of that second.
 */
type Remembered = {
  readonly placement: string;
  readonly considered: readonly HomeSeen[];
  outcome: CallPlacement['outcome'];
  claimedBy: string | undefined;
};

/** What this pilot did with its latest calls, by Call-ID: the same INVITE may come more than once. */
export class PlacementMemory {
  readonly #calls = new TransientMap<Remembered[]>();

  /** Keeps `considered` as it is given: it must not change. Of each home no more is told than `HomeSeen`. */
  add({ outcome, claimedBy, considered, ...placement }: CallPlacement): void {
    const callId = detached(placement.callId);
    const before = this.#calls.get(callId);
    const added = { placement: JSON.stringify(placement), considered, outcome, claimedBy };
    // The newest call is the last to be forgotten.
    if (before) this.#calls.delete(callId);
    this.#calls.set(callId, before ? [...before, added].slice(-mostOfOneCall) : [added]);
    this.#calls.keepNewest(mostCalls);
  }

  /** What became of the reservation of the newest INVITE with this Call-ID. */
  settle(callId: string, outcome: 'claimed' | 'lost' | 'cancelled', claimedBy?: string): void {
    const last = this.#calls.get(callId)?.at(-1);
    if (!last) return;
    last.outcome = outcome;
    last.claimedBy = claimedBy;
  }

  of(callId: string): readonly CallPlacement[] {
    return (this.#calls.get(callId) ?? []).map(({ placement, considered, outcome, claimedBy }) => ({
      ...(JSON.parse(placement) as Omit<CallPlacement, keyof Outcome | 'considered'>),
      considered: considered.map(seen),
      outcome,
      ...(claimedBy === undefined ? {} : { claimedBy }),
    }));
  }
}

const seen = ({ nodeId, state, load, reserved, capacity }: HomeSeen): HomeSeen => ({
  nodeId,
  state,
  load,
  reserved,
  capacity,
});

/** Of its own: a part of a text keeps the whole of it in memory, which is a message here. */
const detached = (text: string): string => Buffer.from(text).toString();
