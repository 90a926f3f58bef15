import type { App } from '../control/app.ts';
import type { Frame } from '../control/frame.ts';
import { proxyDoneMeta, proxyResponseMeta, refusalMeta } from '../control/meta.ts';
import { formatMessage } from '../message/format.ts';
import type { Header, SipResponse } from '../message/message.ts';
import { header } from '../message/message.ts';
import { parseToEnd } from '../message/parse.ts';
import { makeResponse } from '../message/response.ts';
import type { Flow } from '../transport/endpoint.ts';
import { appHeaders } from './app-headers.ts';
import type { Core, Incoming } from './core.ts';
import { forwarded, returned } from './forward.ts';
import { forget } from './incoming.ts';
import { locate } from './locate.ts';
import type { Leg } from './proxy-leg.ts';
import { startLeg } from './proxy-leg.ts';

const NOT_ADDED = new Set(['from', 'to', 'call-id', 'cseq', 'max-forwards', 'content-type']);

type ProxyRun = {
  readonly core: Core;
  readonly app: App;
  readonly msgId: string;
  readonly incoming: Incoming;
  readonly extra: readonly Header[];
  readonly reportsEach: boolean;
  /** Milliseconds until a silent, or an undecided, destination is passed over. */
  readonly provisionalMs: number | undefined;
  readonly finalMs: number | undefined;
  readonly waiting: string[];
  leg: Leg | undefined;
  best: SipResponse | undefined;
  isCancelled: boolean;
};

/**
 * `proxy|<txn>|…|<dest1>|<dest2>…`: forwards a request to one destination after the other until one takes it (RFC 3261
 * §16). Not done here: record-routing, forking in parallel, following redirects; a client that asks for it is refused.
 */
export function onAppProxy(core: Core, app: App, frame: Frame): void {
  const [id = '', remain, full, redirects, forking, provisional = '', final = '', ...destinations] =
    frame.fields;
  const incoming = core.incoming.get(id);
  const refusal = refusalOf(incoming, remain, redirects, forking, destinations);
  if (refusal !== undefined || incoming === undefined) {
    return app.send(refusalMeta(frame.msgId, 'NOK', refusal ?? 'unknown transaction'));
  }
  if (header(incoming.request, 'max-forwards') === '0') {
    incoming.transaction.respond(makeResponse(incoming.request, 483, { toTag: incoming.toTag }));
    forget(core, incoming);
    return app.send(refusalMeta(frame.msgId, 'NOK', 'Max-Forwards is used up'));
  }
  const parsed = parseToEnd(frame.payload);
  const run: ProxyRun = {
    core,
    app,
    msgId: frame.msgId,
    incoming,
    extra: parsed.ok ? appHeaders(parsed.message, incoming.transaction.flow.local, NOT_ADDED) : [],
    reportsEach: full !== '',
    provisionalMs: milliseconds(provisional),
    finalMs: milliseconds(final),
    waiting: destinations,
    leg: undefined,
    best: undefined,
    isCancelled: false,
  };
  incoming.cancelProxy = () => cancel(run);
  tryNext(run);
}

function refusalOf(
  incoming: Incoming | undefined,
  remain: string | undefined,
  redirects: string | undefined,
  forking: string | undefined,
  destinations: readonly string[],
): string | undefined {
  if (incoming === undefined || incoming.cancelProxy !== undefined) return 'unknown transaction';
  if (incoming.transaction.isAnswered || incoming.dialog !== undefined) return 'already answered';
  if (remain !== '') return 'remainInDialog is not supported';
  if (redirects !== '') return 'followRedirects is not supported';
  if (forking === 'simultaneous') return 'simultaneous forking is not supported';
  return destinations.length === 0 ? 'no destination' : undefined;
}

/** `2s` or `1500ms` as a number; undefined where there is no limit. */
function milliseconds(text: string): number | undefined {
  const match = /^(\d+)(ms|s)$/.exec(text);
  return match === null ? undefined : Number(match[1]) * (match[2] === 's' ? 1000 : 1);
}

function tryNext(run: ProxyRun): void {
  const { core, incoming, extra } = run;
  const uri = run.waiting.shift();
  if (uri === undefined || run.isCancelled)
    return finish(run, run.best ?? failure(run, run.isCancelled ? 487 : 503));
  locate(core, uri, (flow) => {
    if (run.isCancelled || typeof flow === 'string') {
      if (!run.isCancelled) core.counters.count('proxy.no-way');
      return tryNext(run);
    }
    run.leg = startLeg(core, forwarded(core, incoming.request, uri, flow, extra), flow, run, {
      response: (response, from) => onResponse(run, response, from),
      passedOver: () => onFailure(run, failure(run, 408)),
    });
  });
}

function onResponse(run: ProxyRun, response: SipResponse, from: Flow): void {
  const { incoming, app, msgId } = run;
  const back = returned(response);
  if (response.status < 300) incoming.transaction.respond(back);
  if (response.status < 200) return;
  // A repeated 2xx passes through as it came; all else is over by then.
  if (!run.core.incoming.has(incoming.transaction.id)) return;
  const bytes = formatMessage(response);
  if (run.reportsEach) app.send(proxyResponseMeta(msgId, bytes.length, from.remote), bytes);
  if (response.status < 300) finish(run, undefined);
  else onFailure(run, back);
}

/** The best of all failures goes back: a 6xx ends the search, otherwise the lowest (§16.7, step 6). */
function onFailure(run: ProxyRun, response: SipResponse): void {
  if (response.status >= 600) return finish(run, response);
  if (run.best === undefined || response.status < run.best.status) run.best = response;
  tryNext(run);
}

function failure({ incoming }: ProxyRun, status: number): SipResponse {
  return makeResponse(incoming.request, status, { toTag: incoming.toTag });
}

function finish(run: ProxyRun, response: SipResponse | undefined): void {
  const { core, incoming, app, msgId } = run;
  if (response !== undefined) incoming.transaction.respond(response);
  forget(core, incoming);
  app.send(proxyDoneMeta(msgId));
}

/** The caller has given up: so does whoever was called; its 487 is passed back. */
function cancel(run: ProxyRun): void {
  run.isCancelled = true;
  run.best = undefined;
  if (run.leg === undefined) finish(run, failure(run, 487));
  else run.leg.cancel();
}
