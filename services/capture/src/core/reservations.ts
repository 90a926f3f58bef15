import type { Reservation } from '@reelstream/events';

export type Held = Reservation & { readonly expiresAtMs: number };

/** Holds a place until its call comes or its time is up; a repeated message changes nothing. Times are monotonic. */
export const hold = (held: readonly Held[], reservation: Reservation, nowMs: number): readonly Held[] => [
  ...held.filter(({ reservationId }) => reservationId !== reservation.reservationId),
  { ...reservation, expiresAtMs: nowMs + reservation.ttlMs },
];

/** The call has come: its place is load from now on. */
export const claim = (held: readonly Held[], callId: string): readonly Held[] =>
  held.filter((reservation) => reservation.callId !== callId);

export const dropExpired = (held: readonly Held[], nowMs: number): readonly Held[] =>
  held.filter(({ expiresAtMs }) => expiresAtMs > nowMs);

export const reservedStreams = (held: readonly Held[]): number =>
  held.reduce((sum, { weight }) => sum + weight, 0);
