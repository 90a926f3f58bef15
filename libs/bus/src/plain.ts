import { errors, RequestError } from '@nats-io/transport-node';
import type { Msg } from '@nats-io/transport-node';
import { BusError } from './errors.ts';
import type { Link } from './link.ts';
import type { BusOptions, PlainHandler } from './types.ts';

type Meters = NonNullable<BusOptions['meters']>;

/** Turns what the client throws into what callers of the bus handle. */
export const busError = (error: unknown, subject: string): unknown => {
  if (error instanceof errors.TimeoutError) {
    return new BusError('BUS_TIMEOUT', `no answer on ${subject} in time`, { cause: error });
  }
  if (error instanceof RequestError || error instanceof errors.NoRespondersError) {
    return new BusError('BUS_NO_RESPONDER', `nobody answers on ${subject}`, { cause: error });
  }
  if (error instanceof errors.ClosedConnectionError || error instanceof errors.DrainingConnectionError) {
    return new BusError('BUS_CLOSED', 'the bus was closed', { cause: error });
  }

  return error;
};

/** Sends JSON on `subject`; silently nothing while disconnected, for plain messages are about now. */
export const publishPlain = (link: Link, subject: string, data: unknown): void => {
  if (link.connected) link.up.publish(subject, JSON.stringify(data));
};

const parsed = (message: Msg): { readonly data: unknown } | undefined => {
  try {
    return { data: message.data.length === 0 ? undefined : message.json<unknown>() };
  } catch {
    return undefined;
  }
};

/** Delivers messages whose JSON parses. A handler that fails is counted: it harms neither the bus nor the next message. */
export const subscribePlain = (
  link: Link,
  meters: Meters,
  subject: string,
  handler: PlainHandler,
): (() => void) =>
  link.subscribe(subject, (message) => {
    const json = parsed(message);
    if (!json) return meters.count('bus.malformed', `${message.subject}: not JSON`);
    const reply = (data: unknown): void => {
      if (message.reply && link.connected) link.up.publish(message.reply, JSON.stringify(data));
    };
    const failed = (error: unknown): void =>
      meters.count('bus.handler-failed', `${message.subject}: ${String(error)}`);
    try {
      const handled = handler({ subject: message.subject, data: json.data, reply });
      handled?.catch(failed);
    } catch (error) {
      failed(error);
    }
  });

/** One request, one answer, both JSON. */
export const requestPlain = async (
  link: Link,
  subject: string,
  data: unknown,
  timeoutMs: number,
): Promise<unknown> => {
  let answer: Msg;
  try {
    answer = await link.up.request(subject, JSON.stringify(data), { timeout: timeoutMs });
  } catch (error) {
    throw busError(error, subject);
  }
  const json = parsed(answer);
  if (!json) throw new BusError('BUS_NO_RESPONDER', `the answer on ${subject} is not JSON`);

  return json.data;
};
