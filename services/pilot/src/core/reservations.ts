import { TransientMap } from '@reelstream/domain';
import type { Call } from './call.ts';

type Open = { readonly call: Call; readonly homes: readonly string[]; readonly expiresAt: number };

/** A redirect that nobody claimed; `isLastStraw` if by it the controller became one that doesn't follow them. */
export type Lost = Pick<Open, 'call' | 'homes'> & { readonly isLastStraw: boolean };

/** After this many lost redirects in a row a controller is taken for one that doesn't follow them. */
const mostLostInARow = 3;
/** Bounds against floods; the oldest go first. */
const mostOpen = 20_000;
const mostRemembered = 10_000;

/**
 * The redirects nobody has claimed yet, and which controllers seem not to follow them. Times are milliseconds on the
 * caller's monotonic clock. Changes in place: there are thousands of these, and more each second.
 */
export class Reservations {
  readonly #timeoutMs: number;
  /** By Call-ID, oldest first, since the timeout is the same for all. */
  readonly #open = new TransientMap<Open>();
  /** Call-IDs given up, with their controller: a late home may still speak for it. */
  readonly #givenUp = new TransientMap<string>();
  readonly #lostInARow = new TransientMap<number>();

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  open(call: Call, homes: readonly string[], now: number): void {
    this.#open.delete(call.callId);
    this.#open.set(call.callId, { call, homes, expiresAt: now + this.#timeoutMs });
    this.#open.keepNewest(mostOpen);
  }

  /** A home has the call: its controller follows redirects, if perhaps slowly. */
  claim(callId: string): boolean {
    const controller = this.#open.get(callId)?.call.controllerAddress ?? this.#givenUp.get(callId);
    this.#open.delete(callId);
    this.#givenUp.delete(callId);
    if (controller === undefined) return false;
    this.#lostInARow.delete(controller);

    return true;
  }

  /** The call was taken back before our redirect was out: nobody will claim it. */
  cancel(callId: string): void {
    this.#open.delete(callId);
  }

  /** While the bus is away no claim can reach us: of what is open nothing can be said. */
  forget(): void {
    this.#open.clear();
  }

  /** Those whose time is up: lost, each told once. */
  expire(now: number): readonly Lost[] {
    const lost: Lost[] = [];
    for (const [callId, open] of this.#open.entries()) {
      if (open.expiresAt > now) break;
      this.#open.delete(callId);
      lost.push({ call: open.call, homes: open.homes, isLastStraw: this.#giveUp(open.call) });
    }

    return lost;
  }

  /** Whether this controller's INVITEs should be forwarded instead. */
  followsNoRedirect(controllerAddress: string): boolean {
    return (this.#lostInARow.get(controllerAddress) ?? 0) >= mostLostInARow;
  }

  #giveUp({ callId, controllerAddress }: Call): boolean {
    this.#givenUp.set(callId, controllerAddress);
    this.#givenUp.keepNewest(mostRemembered);
    const lost = (this.#lostInARow.get(controllerAddress) ?? 0) + 1;
    this.#lostInARow.delete(controllerAddress);
    this.#lostInARow.set(controllerAddress, lost);
    this.#lostInARow.keepNewest(mostRemembered);

    return lost === mostLostInARow;
  }
}
