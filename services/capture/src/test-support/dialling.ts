import assert from 'node:assert/strict';
import { freshId } from '@reelstream/events';
import type { CommandReply, DialCommand, DomainEvent, EventOf } from '@reelstream/events';
import type { Box } from './box.ts';

export type Order = { readonly to: string } & Partial<DialCommand>;

/** Commands a box to place a call, as the API does. */
export const dial = (box: Box, order: Order, commandId = freshId()): Promise<CommandReply> =>
  box.command({ name: 'dial', media: 'audio', ringLimitMs: 8_000, ...order }, { limitMs: 20_000, commandId });

const failuresOf = (
  events: readonly DomainEvent[],
  commandId: string,
): readonly EventOf<'attempt.failed'>[] =>
  events.filter(
    (event): event is EventOf<'attempt.failed'> =>
      event.type === 'attempt.failed' && event.data.attemptId === commandId,
  );

/** What is said of a call that failed. */
export const failureOf = async (box: Box, commandId: string): Promise<EventOf<'attempt.failed'>> => {
  const stored = await box.events((event) => failuresOf([event], commandId).length > 0);
  const [failure] = failuresOf(stored, commandId);
  assert.ok(failure);

  return failure;
};
