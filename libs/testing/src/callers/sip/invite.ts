import { CallError, refused } from '../errors.ts';
import type { Outgoing, SipAgent, Target } from './agent.ts';
import { CallerDialog } from './dialog.ts';
import { headerValues } from './message.ts';
import type { Header, SipResponse } from './message.ts';
import { contactsByPreference, hostText, parseSipUri } from './uri.ts';
import { resolveHost } from './wire.ts';
import type { CallerTransport } from './wire.ts';

/** What an INVITE says, wherever it goes. Via, CSeq and Contact are added per attempt. */
export type InvitePlan = {
  /** URI that was dialled; To keeps it through redirects. */
  readonly uri: string;
  /** Transport of a URI that names none. */
  readonly transport: CallerTransport;
  readonly callId: string;
  readonly from: string;
  /** Contact without its address: the user part, and parameters behind the brackets (`;+sip.src`). */
  readonly contact: { readonly user: string; readonly parameters: string };
  readonly headers: readonly Header[];
  readonly body: string;
  /** Where the INVITE has no offer: the answer to the one in its 2xx, for the ACK (RFC 3261 §13.2.1). */
  readonly answer?: (offer: string) => string;
};

export type Established = {
  readonly dialog: CallerDialog;
  readonly response: SipResponse;
  /** URIs that redirects led us to, in order; those that failed included. */
  readonly redirects: readonly string[];
};

/** More redirects than this are a loop, whatever their URIs. */
const mostAttempts = 10;

/** Where a URI is reached: its own transport parameter, else `fallback`; no SRV look-ups. */
export const resolveTarget = async (uri: string, fallback: CallerTransport): Promise<Target> => {
  const parsed = parseSipUri(uri);
  if (!parsed) throw new CallError('CALL_PROTOCOL', `${uri} is no SIP URI`);
  const transport = parsed.parameters['transport']?.toLowerCase() ?? fallback;
  if (parsed.scheme === 'sips' || (transport !== 'udp' && transport !== 'tcp' && transport !== 'tls')) {
    throw new CallError('CALL_PROTOCOL', `${uri} wants a transport that this caller doesn't speak`);
  }

  return {
    transport,
    address: await resolveHost(parsed.host),
    port: parsed.port ?? (transport === 'tls' ? 5061 : 5060),
  };
};

const composeInvite = async (
  agent: SipAgent,
  plan: InvitePlan,
  uri: string,
  cseq: number,
): Promise<Outgoing> => {
  const target = await resolveTarget(uri, plan.transport);
  const contactHost = await agent.contactHost(target.transport);

  return {
    method: 'INVITE',
    uri,
    target,
    headers: [
      ['Max-Forwards', '70'],
      ['From', plan.from],
      ['To', `<${plan.uri}>`],
      ['Call-ID', plan.callId],
      ['CSeq', `${cseq} INVITE`],
      [
        'Contact',
        `<sip:${plan.contact.user}@${contactHost};transport=${target.transport}>${plan.contact.parameters}`,
      ],
      ['Allow', 'INVITE, ACK, BYE, CANCEL, OPTIONS, INFO'],
      ['User-Agent', 'Reelstream caller'],
      ...plan.headers,
    ],
    body: plan.body,
  };
};

const isRedirect = (status: number): boolean => status >= 300 && status < 400;

/** Another contact of the same redirect may do better: not so if the whole world refuses (RFC 3261 §8.1.3.4, §21.6). */
const worthAnother = (outcome: Outcome): boolean =>
  outcome instanceof CallError
    ? outcome.code !== 'CALL_CANCELLED'
    : outcome.response.status !== 487 && outcome.response.status < 600;

type Outcome = CallError | { readonly invite: Outgoing; readonly response: SipResponse };

const attempt = async (
  agent: SipAgent,
  plan: InvitePlan,
  next: { readonly uri: string; readonly cseq: number },
  signal: AbortSignal | undefined,
): Promise<Outcome> => {
  try {
    const invite = await composeInvite(agent, plan, next.uri, next.cseq);

    return { invite, response: await agent.request(invite, signal) };
  } catch (error) {
    if (error instanceof CallError) return error;
    throw error;
  }
};

const failureOf = (outcome: Outcome, signal: AbortSignal | undefined): CallError => {
  if (outcome instanceof CallError) return outcome;
  const { address, port } = outcome.invite.target;
  const { status, reason } = outcome.response;
  if (signal?.aborted) return new CallError('CALL_CANCELLED', 'the call was taken back', { status, reason });

  return refused(status, reason, `${hostText(address)}:${port}`);
};

const establish = async (
  agent: SipAgent,
  invite: Outgoing,
  response: SipResponse,
  plan: InvitePlan,
): Promise<CallerDialog> => {
  const resolve = (uri: string): Promise<Target> => resolveTarget(uri, invite.target.transport);
  const dialog = new CallerDialog({ agent, invite, response, resolve });
  await dialog.acknowledge(response, plan.answer?.(response.body));

  return dialog;
};

/**
 * Sends an INVITE and follows redirects, the contacts of the highest q first: same Call-ID and From tag, a new branch
 * and the next CSeq each (RFC 3261 §8.1.3.4). Throws the CallError of the last attempt.
 */
export const placeInvite = async (
  agent: SipAgent,
  plan: InvitePlan,
  signal?: AbortSignal,
): Promise<Established> => {
  const queue = [plan.uri];
  const tried: string[] = [];
  let lastFailure = new CallError('CALL_PROTOCOL', 'nowhere to send the INVITE');
  for (let uri = queue.shift(); uri !== undefined && tried.length < mostAttempts; uri = queue.shift()) {
    if (tried.includes(uri)) continue;
    tried.push(uri);
    const outcome = await attempt(agent, plan, { uri, cseq: tried.length }, signal);
    if (!(outcome instanceof CallError) && outcome.response.status < 300) {
      const { invite, response } = outcome;

      return { dialog: await establish(agent, invite, response, plan), response, redirects: tried.slice(1) };
    }
    lastFailure = failureOf(outcome, signal);
    if (signal?.aborted || !worthAnother(outcome)) throw lastFailure;
    if (!(outcome instanceof CallError) && isRedirect(outcome.response.status)) {
      queue.unshift(...contactsByPreference(headerValues(outcome.response, 'contact')));
    }
  }
  throw lastFailure;
};
