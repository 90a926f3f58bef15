import type { Batch, InvalidMessage, StreamedEvent } from '@reelstream/bus';
import { findMismatch } from './incoming.ts';
import type { Incoming } from './incoming.ts';

/** A message of the stream that can't take effect, and why. */
export type ParkedMessage = {
  readonly sequence: number;
  readonly subject: string;
  readonly body: string;
  readonly reason: string;
};

/** A batch, parted into what can be applied and what never will. */
export type Sorted = { readonly incoming: readonly Incoming[]; readonly parked: readonly ParkedMessage[] };

export const parkedEvent = ({ sequence, subject, raw }: StreamedEvent, reason: string): ParkedMessage => ({
  sequence,
  subject,
  body: JSON.stringify(raw),
  reason,
});

const parkedText = ({ sequence, subject, text, reason }: InvalidMessage): ParkedMessage => ({
  sequence,
  subject,
  body: text,
  reason,
});

export const sortOut = (batch: Batch): Sorted => {
  const incoming: Incoming[] = [];
  const parked: ParkedMessage[] = batch.invalid.map(parkedText);
  for (const streamed of batch.events) {
    const mismatch = findMismatch(streamed);
    if (mismatch !== undefined) parked.push(parkedEvent(streamed, mismatch));
    else incoming.push({ ...streamed, family: streamed.subject.split('.')[1] ?? '' });
  }

  return { incoming, parked };
};

/** The same messages as batches of one each, in their order. */
export const oneByOne = (batch: Batch): Batch[] => {
  const singles = [
    ...batch.events.map((event) => ({ events: [event], invalid: [], through: event.sequence })),
    ...batch.invalid.map((message) => ({ events: [], invalid: [message], through: message.sequence })),
  ];

  return singles
    .toSorted((a, b) => a.through - b.through)
    .map((single) => ({ ...single, pending: batch.pending + batch.through - single.through }));
};
