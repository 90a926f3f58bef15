import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret } from '@reelstream/service';
import type { FastifyRequest } from 'fastify';
import { Problem } from './problem.ts';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Refuses requests without the admin's bearer token (RFC 6750). Takes the same time whatever the token. */
export const requireToken = (token: Secret): ((request: FastifyRequest) => Promise<void>) => {
  const wanted = digest(token.reveal());

  return async (request) => {
    const [, given] = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '') ?? [];
    if (given === undefined || !timingSafeEqual(digest(given), wanted))
      throw new Problem(401, 'UNAUTHORIZED', 'a bearer token is wanted: the one in the admin-token file');
  };
};
