import Type from 'typebox';
import { Timestamp, Uuid } from './primitives.ts';
import { Dialled } from './session.ts';

const attempt = {
  attemptId: Uuid,
  at: Timestamp,
  callId: Type.String(),
  fromUri: Type.String(),
  toUri: Type.String(),
  controllerAddress: Type.String(),
  cause: Type.String({ description: 'stable word for why it was not recorded, e.g. no-capacity' }),
};

/** We answered the INVITE with a final error. */
export const AttemptRefused = Type.Object({
  ...attempt,
  status: Type.Integer({ minimum: 300, maximum: 699 }),
});
export type AttemptRefused = Type.Static<typeof AttemptRefused>;

/** The controller took the INVITE back before we answered. */
export const AttemptCancelled = Type.Object(attempt);
export type AttemptCancelled = Type.Static<typeof AttemptCancelled>;

/** We redirected the INVITE and no home saw it arrive within the reservation's time. */
export const AttemptLost = Type.Object({
  ...attempt,
  homes: Type.Array(Type.String(), { description: 'node ids offered, best first' }),
});
export type AttemptLost = Type.Static<typeof AttemptLost>;

/** A call that we placed was not answered. Its address is that of the next hop. */
export const AttemptFailed = Type.Object({
  ...attempt,
  status: Type.Optional(
    Type.Integer({ minimum: 300, maximum: 699, description: 'final response; absent where none came' }),
  ),
  followed: Type.Optional(
    Type.Array(Type.String(), { description: 'targets of redirects (3xx) that were tried, in order' }),
  ),
  dialled: Dialled,
});
export type AttemptFailed = Type.Static<typeof AttemptFailed>;
