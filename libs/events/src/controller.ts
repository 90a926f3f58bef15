import Type from 'typebox';
import { Timestamp, Uuid } from './primitives.ts';

/** What a call controller can do. What isn't said is as for a controller that nobody described. */
export const ControllerProfile = Type.Object(
  {
    followsRedirect: Type.Optional(
      Type.Boolean({
        description: 'false: its INVITEs are forwarded to the home, not redirected; default true',
      }),
    ),
    pairing: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        description: "stands in for the cluster id that old releases don't send",
      }),
    ),
    acceptsReInvite: Type.Optional(
      Type.Boolean({ description: 'whether it takes re-INVITE and UPDATE from us; default true' }),
    ),
    srtp: Type.Optional(
      Type.Union([Type.Literal('never'), Type.Literal('sometimes'), Type.Literal('always')], {
        description: 'whether its media comes encrypted; default sometimes',
      }),
    ),
  },
  { additionalProperties: false },
);
export type ControllerProfile = Type.Static<typeof ControllerProfile>;

/** Call controllers of an address or network. The id is derived from the network. */
export const ControllerEntry = Type.Object({
  controllerId: Uuid,
  network: Type.String({ minLength: 1, maxLength: 64, description: 'an address, or a network in CIDR form' }),
  profile: ControllerProfile,
});
export type ControllerEntry = Type.Static<typeof ControllerEntry>;

export const ControllerSet = Type.Object({ ...ControllerEntry.properties, setAt: Timestamp });
export type ControllerSet = Type.Static<typeof ControllerSet>;

export const ControllerRemoved = Type.Object({ controllerId: Uuid, removedAt: Timestamp });
export type ControllerRemoved = Type.Static<typeof ControllerRemoved>;
