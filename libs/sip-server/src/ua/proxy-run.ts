import { firstAddress } from '../message/address.ts';
import type { Header, SipResponse } from '../message/message.ts';
import { makeHeader, replaceFirst } from '../message/message.ts';
import { makeResponse } from '../message/response.ts';
import { formatVia, topVia } from '../message/via.ts';
import type { Flow } from '../transport/endpoint.ts';
import type { Core, Incoming } from './core.ts';
import { forwarded, returned } from './forward.ts';
import { forget } from './incoming.ts';
import { locate } from './locate.ts';
import { bestOf } from './proxy-best.ts';
import type { Leg, LegLimits } from './proxy-leg.ts';
import { startLeg } from './proxy-leg.ts';
import { ProxyTargets, redirectGroups } from './proxy-targets.ts';
import { loopMark, recordRoutes } from './record-route.ts';

export type ProxyOptions = {
  /** Where to: to each in turn, or to all at once. */
  readonly destinations: readonly string[];
  readonly atOnce: boolean;
  /** Stay in the dialog that comes of it. */
  readonly recordsRoute: boolean;
  readonly followsRedirects: boolean;
  /** Headers to add. */
  readonly extra: readonly Header[];
  readonly limits: LegLimits;
  /** Route values for the way, the first of which is the next hop. */
  readonly routes?: readonly string[];
};

/** Who asked for it. */
export type ProxyEvents = {
  /** A final response of one destination. */
  answered(response: SipResponse, from: Flow): void;
  /** The request has its final response. */
  done(): void;
};

/** One request being forwarded (RFC 3261 §16): to destinations in turn or at once, until one takes it or all have failed. */
export class ProxyRun {
  readonly #core: Core;
  readonly #incoming: Incoming;
  readonly #options: ProxyOptions;
  readonly #events: ProxyEvents;
  readonly #targets = new ProxyTargets();
  readonly #legs = new Set<Leg>();
  readonly #failures: SipResponse[] = [];
  /** Destinations whose address is being looked up. */
  #locating = 0;
  #isCancelled = false;
  #isOver = false;

  constructor(core: Core, incoming: Incoming, options: ProxyOptions, events: ProxyEvents) {
    this.#core = core;
    this.#incoming = incoming;
    this.#options = options;
    this.#events = events;
    const { destinations, atOnce } = options;
    this.#targets.addFirst(atOnce ? [destinations] : destinations.map((uri) => [uri]));
    // From now on the limits of the destinations count.
    clearTimeout(incoming.expiry);
    incoming.cancelProxy = () => this.#cancel();
  }

  /** Tries the next destinations; with none left, the best failure goes back. */
  proceed(): void {
    while (!this.#isOver && this.#legs.size === 0 && this.#locating === 0) {
      const group = this.#isCancelled ? undefined : this.#targets.next();
      if (group === undefined) return this.#finish(bestOf(this.#failures) ?? this.#failure(503));
      for (const uri of group) this.#start(uri);
    }
    return undefined;
  }

  #start(uri: string): void {
    this.#locating += 1;
    let isLater = false;
    const hop = firstAddress(this.#options.routes?.[0])?.uri ?? uri;
    locate(this.#core, hop, (flow) => {
      this.#locating -= 1;
      if (typeof flow !== 'string' && !this.#isOver && !this.#isCancelled) this.#launch(uri, flow);
      else if (typeof flow === 'string') this.#core.counters.count('proxy.no-way');
      if (isLater) this.proceed();
    });
    isLater = true;
  }

  #launch(uri: string, flow: Flow): void {
    const { limits } = this.#options;
    const leg: Leg = startLeg(this.#core, this.#forwarded(uri, flow), flow, limits, {
      response: (response, from) => this.#onResponse(leg, response, from),
      passedOver: () => this.#onFailure(leg, this.#failure(408)),
    });
    this.#legs.add(leg);
  }

  #forwarded(uri: string, flow: Flow) {
    const core = this.#core;
    const { request, transaction } = this.#incoming;
    const { recordsRoute, extra, routes } = this.#options;
    const first = recordsRoute ? recordRoutes(core, request, transaction.flow, flow) : [];
    const sent = forwarded(core, withRoutes(request, routes), uri, flow, { first, extra });
    const via = topVia(sent);
    if (via === undefined) return sent;
    const branch = `${via.params.get('branch') ?? ''}${loopMark(request)}`;
    const value = formatVia({ ...via, params: new Map([...via.params, ['branch', branch]]) });
    return { ...sent, headers: replaceFirst(sent.headers, 'via', value) };
  }

  #onResponse(leg: Leg, response: SipResponse, from: Flow): void {
    const { transaction } = this.#incoming;
    const back = returned(response);
    if (response.status < 200) {
      if (!this.#isOver) transaction.respond(back);
      return;
    }
    // Every 2xx passes, also a repeated one and that of another fork (§16.7, step 5).
    if (response.status < 300) transaction.respond(back);
    if (this.#isOver) return;
    this.#events.answered(response, from);
    if (response.status < 300) return this.#finish(undefined);
    return this.#onFailure(leg, back);
  }

  #onFailure(leg: Leg, response: SipResponse): void {
    this.#legs.delete(leg);
    const isFollowed =
      response.status < 400 && this.#options.followsRedirects && !this.#isCancelled && this.#follow(response);
    if (!isFollowed) this.#failures.push(response);
    // A 6xx speaks for all places: those not tried yet are not, the others are called off (§16.7, step 5).
    if (response.status >= 600) {
      this.#targets.clear();
      for (const each of this.#legs) each.cancel();
    }
    this.proceed();
  }

  #follow(redirect: SipResponse): boolean {
    return this.#targets.addFirst(redirectGroups(redirect, this.#options.atOnce));
  }

  #finish(response: SipResponse | undefined): void {
    this.#isOver = true;
    if (response !== undefined) this.#incoming.transaction.respond(response);
    for (const leg of this.#legs) leg.cancel();
    forget(this.#core, this.#incoming);
    this.#events.done();
  }

  /** The caller has given up: so do all who were called; the best of what they say then is a 487. */
  #cancel(): void {
    this.#isCancelled = true;
    this.#failures.length = 0;
    if (this.#legs.size === 0) return this.#finish(this.#failure(487));
    for (const leg of this.#legs) leg.cancel();
    return undefined;
  }

  #failure(status: number): SipResponse {
    return makeResponse(this.#incoming.request, status, { toTag: this.#incoming.toTag });
  }
}

/** A request with these Route values instead of those it came with. */
function withRoutes(
  request: Incoming['request'],
  routes: readonly string[] | undefined,
): Incoming['request'] {
  if (routes === undefined) return request;
  const list = request.headers.filter(({ key }) => key !== 'route');
  return { ...request, headers: [...routes.map((route) => makeHeader('Route', route)), ...list] };
}
