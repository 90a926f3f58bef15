import { evolveSession, isSessionEvent } from '@reelstream/domain';
import type { SessionEvent, SessionRecord } from '@reelstream/domain';
import type { DomainEvent } from '@reelstream/events';
import type { Incoming } from './incoming.ts';

/** A session and those of its events that wait: for an earlier version, or for a release that knows them. */
export type SessionLine = {
  readonly record: SessionRecord | undefined;
  readonly held: readonly Incoming[];
};

/** One event taking effect: the session after it. */
export type Step = { readonly event: SessionEvent; readonly record: SessionRecord };

export type Taken = {
  readonly line: SessionLine;
  readonly steps: readonly Step[];
  /** Ids of events that are done with, effective or not. */
  readonly done: readonly string[];
  /** Known by its schema, and yet it can't follow what came before. */
  readonly broken: readonly { readonly incoming: Incoming; readonly reason: string }[];
};

const versionOf = (line: SessionLine): number => line.record?.version ?? 0;

/**
 * Takes one more event of a session. Versions take effect in order and without gaps, over both subjects of the session: an
 * older one changes nothing, a later one is held until those between have come. Epochs continue the count.
 */
export const takeEvent = (line: SessionLine, incoming: Incoming): Taken =>
  release({ record: line.record, held: [...line.held, incoming] });

/** Applies whatever of the held events can be applied now. */
export const release = (from: SessionLine): Taken => {
  let { record } = from;
  let waiting = from.held.toSorted((a, b) => a.raw.version - b.raw.version || b.raw.epoch - a.raw.epoch);
  const steps: Step[] = [];
  const done: string[] = [];
  const broken: { incoming: Incoming; reason: string }[] = [];

  for (;;) {
    const next = waiting[0];
    const applied = record?.version ?? 0;
    if (!next || next.raw.version > applied + 1) break;
    if (next.raw.version <= applied) {
      done.push(next.raw.id);
    } else {
      if (!next.event) break;
      const step = tryStep(record, next.event);
      if (typeof step === 'string') {
        broken.push({ incoming: next, reason: step });
      } else {
        record = step.record;
        steps.push(step);
        done.push(next.raw.id);
      }
    }
    waiting = waiting.slice(1);
  }

  return { line: { record, held: waiting }, steps, done, broken };
};

const tryStep = (record: SessionRecord | undefined, event: DomainEvent): Step | string => {
  if (!isSessionEvent(event)) return `${event.type} is no event of a session`;
  if (!record && event.type !== 'session.started')
    return `${event.type} version ${event.version} before session.started`;

  return { event, record: evolveSession(record, event) };
};

/**
 * The first version that is missing, if one is: what the session's home is asked to republish. A version that is there
 * but not understood is not missing.
 */
export const missingFrom = (line: SessionLine): number | undefined => {
  const [next] = line.held.toSorted((a, b) => a.raw.version - b.raw.version);
  const wanted = versionOf(line) + 1;

  return next && next.raw.version > wanted ? wanted : undefined;
};
