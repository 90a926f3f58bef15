import type { DomainEvent, EventOf } from '@reelstream/events';
import { Caller } from '@reelstream/testing/callers';
import type { Response } from '@reelstream/testing/callers';
import type { Box } from './box.ts';
import { oneVoice, portsOf } from './offers.ts';

export type Side = 'near' | 'far';

let nextRefCi = 18_100_001;

/** A call's own reference: no two calls of a test share one. */
export const freshRefCi = (): string => String(nextRefCi++);

/** Parameters of From, without the mark of the side. Empty ones are left out. */
export type Marks = Readonly<Record<string, string>>;

const usual = (refCi: string): Marks => ({
  'x-refci': refCi,
  'x-nearendclusterid': 'berlin',
  'x-nearenddevice': 'SEP0011',
  'x-nearendaddr': '1001',
  'x-farendrefci': String(Number(refCi) + 1),
  'x-farenddevice': 'trunk',
  'x-farendaddr': '2002',
});

/** From (or another header) of a leg; a value of `-` is a parameter without one. */
export const markedAddress = (side: Side, refCi: string, marks: Marks = {}): string => {
  const parameters = Object.entries({ ...usual(refCi), ...marks }).flatMap(([name, value]) =>
    value === '' ? [] : [value === '-' ? `;${name}` : `;${name}=${value}`],
  );

  return `<sip:1001@127.0.0.1;x-${side}end${parameters.join('')}>`;
};

export const openLeg = (box: Box, side: Side, refCi: string, marks: Marks = {}): Promise<Caller> =>
  Caller.open(box.target, markedAddress(side, refCi, marks));

/** The answer to our offer: one codec, sent to us. */
export const answered = oneVoice.replace('0 8 101', '8');

export const portOf = (response: Response): number => portsOf(response.body)[0] ?? 0;

/** Sends the INVITE and its ACK; resolves with our offer. */
export const establish = async (leg: Caller): Promise<Response> => {
  const offer = await leg.invite();
  if (offer.status === 200) leg.ack(answered);

  return offer;
};

export const startsOf = (
  events: readonly DomainEvent[],
  refCi: string,
): readonly EventOf<'session.started'>[] =>
  events.filter(
    (event): event is EventOf<'session.started'> =>
      event.type === 'session.started' && event.data.correlation.xRefCi === refCi,
  );

export const endOf = (events: readonly DomainEvent[]): EventOf<'session.ended'> => {
  const ended = events.find((event) => event.type === 'session.ended');
  if (!ended) throw new Error('the session has no end');

  return ended;
};
