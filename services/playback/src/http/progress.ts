import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Making } from '../export/making.ts';

/** What is made within this needs no talk of progress. */
const soonMs = 200;
const retryAfterSeconds = 1;

/** Whether a client waits for as long as it takes: unless it prefers an answer at once (RFC 7240 §4.1). */
export const isPatient = ({ headers }: FastifyRequest): boolean =>
  !String(headers.prefer ?? '')
    .split(',')
    .some((preference) => preference.trim().toLowerCase() === 'respond-async');

/** True where the file is made, or failed, in a moment. */
export const soonOrNever = async (making: Making): Promise<boolean> => {
  await Promise.race([making.settled, delay(soonMs)]);

  return making.isSettled;
};

/** Answers that the file is being made, and how far that is. */
export const sendProgress = (reply: FastifyReply, { progress }: Making): FastifyReply =>
  reply
    .code(202)
    .headers({
      'retry-after': String(retryAfterSeconds),
      'preference-applied': 'respond-async',
      'cache-control': 'no-store',
    })
    .send({ state: progress === undefined ? 'waiting' : 'making', progress: progress ?? 0 });
