import { DamagedFileError, NotSealedError } from '@reelstream/recording';
import type { FastifyReply } from 'fastify';
import { ExportError } from '../export/errors.ts';

/** Problem details of RFC 9457, with a stable code. */
export type Problem = {
  readonly status: number;
  readonly title: string;
  readonly code: string;
  readonly detail?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

export const notFound: Problem = { status: 404, title: 'Not Found', code: 'NOT_FOUND' };

export const linkInvalid: Problem = {
  status: 403,
  title: 'Forbidden',
  code: 'LINK_INVALID',
  detail: 'the link is not signed for this path, or has expired: ask the API for a new one',
};

const exportProblems = {
  CODEC_NOT_DECODABLE: { status: 415, title: 'Unsupported Media Type', headers: {} },
  RECORDING_TOO_LONG: { status: 422, title: 'Unprocessable Content', headers: {} },
  RENDERING_FAILED: { status: 500, title: 'Internal Server Error', headers: {} },
  PLAYBACK_BUSY: { status: 503, title: 'Service Unavailable', headers: { 'retry-after': '5' } },
} as const;

const statusOf = (error: unknown): number | undefined =>
  error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : undefined;

/** What a client is told about anything thrown; only what is foreseen is explained. */
export const problemOf = (error: unknown): Problem => {
  if (error instanceof ExportError) {
    return { ...exportProblems[error.code], code: error.code, detail: error.message };
  }
  if (error instanceof NotSealedError) {
    const detail = 'the session is still being recorded, or not sealed yet';

    return { status: 409, title: 'Conflict', code: error.code, detail };
  }
  if (error instanceof DamagedFileError) {
    return {
      status: 500,
      title: 'Internal Server Error',
      code: error.code,
      detail: 'the recording is damaged',
    };
  }
  if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') {
    const detail = 'there is no room to make the file: fetch the tracks as rtpdump';

    return { status: 507, title: 'Insufficient Storage', code: 'STORAGE_FULL', detail };
  }
  const status = statusOf(error);
  if (status !== undefined && status >= 400 && status < 500) {
    return { status, title: 'Bad Request', code: 'BAD_REQUEST', detail: String(error) };
  }

  return { status: 500, title: 'Internal Server Error', code: 'INTERNAL' };
};

export const sendProblem = (reply: FastifyReply, problem: Problem): FastifyReply => {
  const { headers = {}, ...body } = problem;

  return reply
    .code(problem.status)
    .headers(headers)
    .type('application/problem+json')
    .send(JSON.stringify({ type: 'about:blank', ...body }));
};
