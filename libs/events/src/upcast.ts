import { Compile } from 'typebox/compile';
import type { Validator } from 'typebox/compile';
import { catalogue, isEventType } from './catalogue.ts';
import type { DomainEvent, EventType } from './catalogue.ts';
import { Envelope } from './envelope.ts';
import type { RawEvent } from './envelope.ts';

/** One step from schema n to n + 1 of a type's data. Never deleted while a stream may hold schema n. */
type Upcast = (data: unknown) => unknown;

/** Steps by type, in order: the first lifts schema 1 to 2. */
const upcasts: Partial<Record<EventType, readonly Upcast[]>> = {
  // Schema 2 added the reason `tag`.
  'session.updated': [(data) => data],
  // Schema 2 added the cause `paused` of a gap.
  'recording.sealed': [(data) => data],
};

const envelopeValidator = Compile(Envelope);
const validators = new Map<EventType, Validator>();

const validatorOf = (type: EventType): Validator => {
  let validator = validators.get(type);
  if (!validator) {
    validator = Compile(catalogue[type].data);
    validators.set(type, validator);
  }

  return validator;
};

export type Understood =
  | { readonly status: 'known'; readonly event: DomainEvent }
  /** A type or schema newer than this version: to be stored unapplied, and applied after the upgrade. */
  | { readonly status: 'unknown'; readonly raw: RawEvent }
  /** Not an event, or known and broken: to be parked with the reason. */
  | { readonly status: 'invalid'; readonly raw: unknown; readonly reason: string };

const invalid = (raw: unknown, reason: string): Understood => ({ status: 'invalid', raw, reason });

const firstError = (validator: Validator, value: unknown): string => {
  const [error] = validator.Errors(value);

  return error ? `${error.instancePath || '/'} ${error.message}` : 'unknown error';
};

const isRawEvent = (value: unknown): value is RawEvent =>
  envelopeValidator.Check(value) && 'data' in Object(value);

/** The read boundary: checks the envelope, lifts the data to the current schema, and checks that too. */
export const understand = (value: unknown): Understood => {
  if (!isRawEvent(value)) return invalid(value, `envelope: ${firstError(envelopeValidator, value)}`);
  const { type } = value;
  if (!isEventType(type)) return { status: 'unknown', raw: value };
  const current = catalogue[type].schema;
  if (value.schema > current) return { status: 'unknown', raw: value };

  const steps = (upcasts[type] ?? []).slice(value.schema - 1);
  const data = steps.reduce((older, step) => step(older), value.data);
  const validator = validatorOf(type);
  if (!validator.Check(data)) return invalid(value, `${type}: ${firstError(validator, data)}`);

  return { status: 'known', event: { ...value, type, schema: current, data } as DomainEvent };
};
