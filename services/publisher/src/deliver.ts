import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@reelstream/service';
import { postToEndpoint } from './adapters/endpoint.ts';
import type { ClaimedDelivery, Deliveries } from './adapters/deliveries.ts';
import type { Signer } from './adapters/signer.ts';
import { retryInMs } from './core/backoff.ts';
import type { Outcome } from './core/outcome.ts';
import { signedText, webhookHeaders } from './core/signature.ts';

const recordAgainAfterMs = 500;

export type DeliverContext = {
  readonly deliveries: Deliveries;
  readonly signer: Signer;
  readonly log: Logger;
  readonly timeoutMs: number;
  readonly backoffMs: readonly number[];
  /** How long an outcome may take to be recorded: the rest of the claim. */
  readonly recordWithinMs: number;
  /** Aborts when the publisher must end: attempts under way are given up, their outcome unknown. */
  readonly signal: AbortSignal;
};

/** One attempt at one delivery: sign it, post it, record what became of it. Never throws. */
export const deliver = async (delivery: ClaimedDelivery, context: DeliverContext): Promise<void> => {
  const outcome = await attempt(delivery, context);
  if (context.signal.aborted && outcome.status === 'failed') return;
  const facts = {
    subscriptionId: delivery.subscriptionId,
    sequence: delivery.sequence,
    eventId: delivery.eventId,
  };
  if (outcome.status === 'delivered') {
    await recorded(context, () => context.deliveries.delivered(delivery));
    context.log.debug({ ...facts, attempt: delivery.attempts }, 'delivery.delivered');

    return;
  }
  const retry = retryInMs(outcome, delivery.attempts, context.backoffMs, Math.random());
  await recorded(context, () => context.deliveries.failed(delivery, outcome.error, retry));
  const failure = { ...facts, attempt: delivery.attempts, reason: outcome.error };
  if (retry === undefined) context.log.error(failure, 'delivery.parked');
  else context.log.warn({ ...failure, retryInMs: Math.round(retry) }, 'delivery.failed');
};

const attempt = async (delivery: ClaimedDelivery, context: DeliverContext): Promise<Outcome> => {
  const { eventId: id, body, url, encryptedSecret, attempts: number } = delivery;
  const timestamp = Math.floor(Date.now() / 1_000);
  let mac: string;
  try {
    mac = context.signer.mac(encryptedSecret, signedText(id, timestamp, body));
  } catch (error) {
    return { status: 'failed', error: `can't be signed: ${String(error)}`, final: false };
  }
  const headers = webhookHeaders({ id, timestamp, mac, number });

  return postToEndpoint({ url, headers, body, timeoutMs: context.timeoutMs, signal: context.signal });
};

/** Tries to record an outcome while the claim lasts; past that, the delivery is attempted again and says so. */
const recorded = async (context: DeliverContext, record: () => Promise<void>): Promise<void> => {
  const deadline = performance.now() + context.recordWithinMs;
  for (;;) {
    try {
      return await record();
    } catch (error) {
      if (performance.now() > deadline || context.signal.aborted) {
        return context.log.warn({ error }, 'outcome of a delivery could not be recorded');
      }
    }
    await sleep(recordAgainAfterMs, undefined, { signal: context.signal }).catch(() => undefined);
  }
};
