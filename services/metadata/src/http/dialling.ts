import { BusError } from '@reelstream/bus';
import { CommandReply, commandSubject } from '@reelstream/events';
import type { Command, DialCommand } from '@reelstream/events';
import { Compile } from 'typebox/compile';
import type { Api } from './api.ts';
import { Problem } from './problem.ts';

export type DialRequest = Omit<DialCommand, 'name'> & { readonly commandId: string };

type Failure = {
  readonly code: string;
  readonly detail: string;
  readonly sipStatus?: number | undefined;
  readonly callId?: string | undefined;
};

const validReply = Compile(CommandReply);

/** Beyond ringing: to bind sockets, to be answered a CANCEL, to write. */
const marginMs = 5_000;

/** Another home may take it: this one has said that it can't, before it dialled. */
const tryAnother: readonly string[] = ['no-capacity', 'draining', 'storage', 'no-sip'];

const statuses: Readonly<Record<string, readonly [number, Problem['code']]>> = {
  busy: [409, 'CALL_BUSY'],
  refused: [409, 'CALL_REFUSED'],
  unauthorized: [409, 'CALL_REFUSED'],
  redirected: [409, 'CALL_REFUSED'],
  'bad-answer': [409, 'CALL_REFUSED'],
  'not-found': [404, 'CALLEE_NOT_FOUND'],
  'no-answer': [504, 'CALL_NOT_ANSWERED'],
  unavailable: [502, 'CALL_UNAVAILABLE'],
  unreachable: [502, 'CALL_UNAVAILABLE'],
  'not-configured': [422, 'DIALLING_NOT_CONFIGURED'],
  'no-node': [503, 'NO_CAPACITY'],
  'no-capacity': [503, 'NO_CAPACITY'],
  draining: [503, 'NO_CAPACITY'],
  storage: [503, 'NO_CAPACITY'],
  'no-sip': [503, 'NO_CAPACITY'],
  cancelled: [503, 'CALL_INTERRUPTED'],
  interrupted: [503, 'CALL_INTERRUPTED'],
};

/** What an integrator is told of a call that was not answered; with the SIP status where there was one. */
export const problemOf = ({ code, detail, sipStatus, callId }: Failure): Problem => {
  const [status, problem] = statuses[code] ?? ([500, 'INTERNAL'] as const);

  return new Problem(status, problem, detail, undefined, {
    ...(sipStatus === undefined ? {} : { sipStatus }),
    ...(callId === undefined ? {} : { callId }),
  });
};

const ask = async (
  { bus }: Api,
  home: string,
  { commandId, ...order }: DialRequest,
): Promise<CommandReply> => {
  const limitMs = order.ringLimitMs + marginMs;
  const command: Command = {
    commandId,
    deadline: new Date(Date.now() + limitMs).toISOString(),
    command: { name: 'dial', ...order },
  };
  try {
    const reply = await bus.request(commandSubject(home), command, limitMs);
    if (validReply.Check(reply)) return reply;
  } catch (error) {
    if (error instanceof BusError && error.code === 'BUS_NO_RESPONDER')
      return { ok: false, code: 'no-sip', detail: `${home} does not answer` };
    if (!(error instanceof BusError && error.code === 'BUS_TIMEOUT')) throw error;
  }
  throw new Problem(
    504,
    'CALL_INTERRUPTED',
    `${home} has not said what became of the call; a repeat with the same Idempotency-Key tells once it is known`,
  );
};

/** Has the first home that can dial; resolves with the session's id once it is journalled. Throws Problem. */
export const askToDial = async (
  api: Api,
  homes: readonly string[],
  request: DialRequest,
): Promise<string> => {
  let last: Failure = { code: 'no-node', detail: 'no home can take a call' };
  for (const home of homes) {
    const { ok, sessionId, code = 'failed', detail = '', sipStatus, callId } = await ask(api, home, request);
    if (ok && sessionId !== undefined) return sessionId;
    last = { code, detail, sipStatus, callId };
    if (!tryAnother.includes(code)) break;
  }
  throw problemOf(last);
};
