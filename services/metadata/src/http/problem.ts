import { STATUS_CODES } from 'node:http';
import Type from 'typebox';

/** RFC 9457 problem details. `code` is stable: clients may depend on it, never on `detail`. */
export const ProblemDetails = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String(),
    detail: Type.String(),
    field: Type.Optional(Type.String({ description: 'the parameter or property that is to blame' })),
    sipStatus: Type.Optional(Type.Integer({ description: 'with which a call that was dialled has failed' })),
    callId: Type.Optional(Type.String({ description: 'of that call: what `reel explain` takes' })),
  },
  { $id: 'Problem' },
);
export type ProblemDetails = Type.Static<typeof ProblemDetails>;

export type ProblemCode =
  | 'INVALID_PARAMETER'
  | 'INVALID_BODY'
  | 'UNAUTHORIZED'
  | 'NOT_FOUND'
  | 'SESSION_NOT_FOUND'
  | 'SESSION_ENDED'
  | 'SESSION_DELETED'
  | 'SESSION_RUNNING'
  | 'LEGAL_HOLD'
  | 'TAG_NOT_FOUND'
  | 'TOO_MANY_TAGS'
  | 'HOME_AWAY'
  | 'COMMAND_FAILED'
  | 'TRACK_NOT_FOUND'
  | 'SUBSCRIPTION_NOT_FOUND'
  | 'ALARM_NOT_FOUND'
  | 'NODE_NOT_FOUND'
  | 'NODE_TAKES_NO_CALLS'
  | 'RULE_NOT_FOUND'
  | 'RULE_EXISTS'
  | 'RULE_NOT_DELETABLE'
  | 'MEDIA_FILE_MISSING'
  | 'CONTROLLER_NOT_FOUND'
  | 'CONTROLLER_EXISTS'
  | 'CALL_NOT_FOUND'
  | 'CALL_BUSY'
  | 'CALL_REFUSED'
  | 'CALL_NOT_ANSWERED'
  | 'CALL_UNAVAILABLE'
  | 'CALL_INTERRUPTED'
  | 'CALLEE_NOT_FOUND'
  | 'DIALLING_NOT_CONFIGURED'
  | 'NO_CAPACITY'
  | 'RECORDING_NOT_SEALED'
  | 'RECORDING_REMOVED'
  | 'IDEMPOTENCY_KEY_REUSED'
  | 'TOO_LARGE'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'REQUEST_REFUSED'
  | 'TOO_MANY_FOLLOWERS'
  | 'RECONCILE_BUSY'
  | 'DATABASE_BEHIND'
  | 'PLAYBACK_UNAVAILABLE'
  | 'DATABASE_UNAVAILABLE'
  | 'BUS_UNAVAILABLE'
  | 'NOT_COMMITTED_YET'
  | 'INTERNAL';

export type FailedCall = Pick<ProblemDetails, 'sipStatus' | 'callId'>;

/** An answer that is an error; thrown by handlers, formatted in one place. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly fault: 'ours' | 'theirs';
  readonly status: number;
  readonly field: string | undefined;
  /** Of a call that was dialled. */
  readonly call: FailedCall;

  constructor(status: number, code: ProblemCode, detail: string, field?: string, call: FailedCall = {}) {
    super(detail);
    this.name = 'Problem';
    this.code = code;
    this.fault = status < 500 ? 'theirs' : 'ours';
    this.status = status;
    this.field = field;
    this.call = call;
  }
}

/** The body of the answer. `about:blank` says that the title is the status's own (RFC 9457 §4.2.1). */
export const formatProblem = ({ status, code, message, field, call }: Problem): ProblemDetails => ({
  type: 'about:blank',
  title: STATUS_CODES[status] ?? 'Error',
  status,
  code,
  detail: message,
  ...(field === undefined ? {} : { field }),
  ...call,
});
