import type { App } from '../control/app.ts';
import type { Frame } from '../control/frame.ts';
import { proxyDoneMeta, proxyResponseMeta, refusalMeta } from '../control/meta.ts';
import { formatMessage } from '../message/format.ts';
import { header } from '../message/message.ts';
import { parseToEnd } from '../message/parse.ts';
import { appHeaders } from './app-headers.ts';
import type { Core, Incoming } from './core.ts';
import { refuse } from './incoming.ts';
import type { ProxyEvents } from './proxy-run.ts';
import { ProxyRun } from './proxy-run.ts';
import { hasLooped } from './record-route.ts';

const NOT_ADDED = new Set(['from', 'to', 'call-id', 'cseq', 'max-forwards', 'content-type']);

/** `proxy|<txn>|remainInDialog|fullResponse|followRedirects|simultaneous|<prov>|<final>|<dest1>…`: forwards a request (§16). */
export function onAppProxy(core: Core, app: App, frame: Frame): void {
  const [id = '', remain, full, redirects, forking, provisional = '', final = '', ...destinations] =
    frame.fields;
  const incoming = core.incoming.get(id);
  const refused = (reason: string): void => app.send(refusalMeta(frame.msgId, 'NOK', reason));
  if (incoming === undefined || incoming.cancelProxy !== undefined) return refused('unknown transaction');
  if (incoming.transaction.isAnswered || incoming.dialog !== undefined) return refused('already answered');
  if (destinations.length === 0) return refused('no destination');
  const [status, reason] = obstacle(incoming);
  if (status !== undefined) {
    refuse(core, incoming, status);
    return refused(reason);
  }
  const parsed = parseToEnd(frame.payload);
  const options = {
    destinations,
    atOnce: forking === 'simultaneous',
    recordsRoute: remain !== '',
    followsRedirects: redirects !== '',
    extra: parsed.ok ? appHeaders(parsed.message, incoming.transaction.flow.local, NOT_ADDED) : [],
    limits: { provisionalMs: milliseconds(provisional), finalMs: milliseconds(final) },
  };
  return new ProxyRun(core, incoming, options, eventsOf(app, frame.msgId, full !== '')).proceed();
}

function obstacle({ request }: Incoming): readonly [number, string] | readonly [undefined] {
  if (header(request, 'max-forwards') === '0') return [483, 'Max-Forwards is used up'];
  return hasLooped(request) ? [482, 'the request has come back to us'] : [undefined];
}

/** The client takes the last response before `done` for the outcome. */
function eventsOf(app: App, msgId: string, reportsEach: boolean): ProxyEvents {
  return {
    answered: (response, from) => {
      const bytes = formatMessage(response);
      if (reportsEach) app.send(proxyResponseMeta(msgId, bytes.length, from.remote), bytes);
    },
    done: () => app.send(proxyDoneMeta(msgId)),
  };
}

/** `2s` or `1500ms` as a number; undefined where there is no limit. */
function milliseconds(text: string): number | undefined {
  const match = /^(\d+)(ms|s)$/.exec(text);
  return match === null ? undefined : Number(match[1]) * (match[2] === 's' ? 1000 : 1);
}
