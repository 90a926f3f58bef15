import type { SipRequest, SipResponse } from '../message/message.ts';
import { makeResponse } from '../message/response.ts';
import type { Flow } from '../transport/endpoint.ts';
import { Cancellation } from './cancellation.ts';
import type { Core } from './core.ts';
import { randomToken } from '../random-token.ts';

/** One destination being tried. */
export type Leg = { cancel(): void };

/** Milliseconds until a silent, or an undecided, destination is passed over. */
export type LegLimits = { readonly provisionalMs: number | undefined; readonly finalMs: number | undefined };

type LegEvents = {
  response(response: SipResponse, flow: Flow): void;
  /** It took too long; what it still answers is nobody's business, except a 2xx, which is passed on. */
  passedOver(): void;
};

const TIMER_C_T1 = 361;

/** Sends a forwarded request and watches its time limits; 100 is kept, silence becomes 408 and no way 503. */
export function startLeg(
  core: Core,
  request: SipRequest,
  flow: Flow,
  limits: LegLimits,
  events: LegEvents,
): Leg {
  let hasProvisional = false;
  let isOver = false;
  let ringing: NodeJS.Timeout | undefined;
  const timers: NodeJS.Timeout[] = [];
  const cancellation = new Cancellation(core, request, flow, () => transaction.giveUpSoon());
  const end = (): void => {
    isOver = true;
    timers.forEach(clearTimeout);
    clearTimeout(ringing);
  };
  const onResponse = (response: SipResponse, from: Flow): void => {
    hasProvisional = true;
    if (response.status >= 200) cancellation.drop();
    cancellation.release();
    const isSuccess = response.status >= 200 && response.status < 300;
    if (response.status === 100 || (isOver && !isSuccess)) return;
    if (response.status >= 200) end();
    else if (request.method === 'INVITE') startTimerC();
    events.response(response, from);
  };
  const transaction = core.transactions.send(request, flow, {
    response: onResponse,
    failed: (reason) => {
      onResponse(makeResponse(request, reason === 'timeout' ? 408 : 503, { toTag: randomToken() }), flow);
    },
  });
  const passOver = (): void => {
    end();
    cancellation.cancel();
    events.passedOver();
  };
  /** Who rings gets more than three minutes from each sign of life (§16.8, timer C). */
  const startTimerC = (): void => {
    clearTimeout(ringing);
    ringing = setTimeout(passOver, TIMER_C_T1 * core.timing.t1);
  };
  const { provisionalMs, finalMs } = limits;
  if (provisionalMs !== undefined) timers.push(setTimeout(() => hasProvisional || passOver(), provisionalMs));
  if (finalMs !== undefined) timers.push(setTimeout(passOver, finalMs));
  return { cancel: () => void cancellation.cancel() };
}
