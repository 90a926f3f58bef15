import { verifyPath } from '@reelstream/service';
import type { Logger, Meters, Secret } from '@reelstream/service';
import { fastify } from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { formats } from '../core/formats.ts';
import type { Format } from '../core/formats.ts';
import type { Exports } from '../export/exports.ts';
import type { Making } from '../export/making.ts';
import { isPatient, sendProgress, soonOrNever } from './progress.ts';
import { linkInvalid, notFound, problemOf, sendProblem } from './problem.ts';
import { sendFile } from './send-file.ts';

export type HttpOptions = {
  readonly exports: Exports;
  /** Nothing of these sessions is served. */
  readonly forgotten: { has(sessionId: string): boolean };
  readonly clusterKey: Secret;
  readonly log: Logger;
  readonly meters: Meters;
};

/** How long responses underway may take when the server closes. */
const drainMs = 2_500;

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

const isAuthorised = (request: FastifyRequest, clusterKey: Secret): boolean => {
  const [path = ''] = request.url.split('?', 1);
  const query = request.query as Readonly<Record<string, unknown>>;

  return verifyPath(
    clusterKey,
    path,
    { expires: textOf(query['expires']), signature: textOf(query['signature']) },
    Date.now(),
  );
};

const isGone = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';

type MediaParams = { readonly Params: { readonly sessionId: string; readonly trackNumber?: string } };

/** Builds the server of recorded media; every path below `/media` opens by a signed query only. */
export const createHttpServer = ({
  exports,
  forgotten,
  clusterKey,
  log,
  meters,
}: HttpOptions): FastifyInstance => {
  const server = fastify({ exposeHeadRoutes: false, routerOptions: { maxParamLength: 64 } });

  const media = (
    path: string,
    find: (params: MediaParams['Params']) => Promise<Making | undefined>,
  ): void => {
    server.route<MediaParams>({
      method: ['GET', 'HEAD'],
      url: path,
      handler: async (request, reply): Promise<FastifyReply> => {
        meters.count('media.requests');
        if (!isAuthorised(request, clusterKey)) return sendProblem(reply, linkInvalid);
        if (forgotten.has(request.params.sessionId)) return sendProblem(reply, notFound);
        const serve = async (): Promise<FastifyReply> => {
          const making = await find(request.params);
          if (!making) return sendProblem(reply, notFound);
          if (!isPatient(request) && !(await soonOrNever(making))) return sendProgress(reply, making);

          return sendFile(request, reply, await making.file);
        };

        // An export may be cleared away between being found and being opened: then it is made again.
        return serve().catch((error: unknown) => {
          if (isGone(error)) return serve();
          throw error;
        });
      },
    });
  };
  for (const format of Object.keys(formats) as Format[])
    media(`/media/:sessionId/recording.${format}`, ({ sessionId }) => exports.recording(sessionId, format));
  media('/media/:sessionId/tones.json', ({ sessionId }) => exports.tones(sessionId));
  media('/media/:sessionId/tracks/:trackNumber(^[0-9]{1,4}).rtpdump', ({ sessionId, trackNumber }) =>
    exports.rtpdump(sessionId, Number(trackNumber)),
  );
  server.get('/health', (_, reply) => reply.send({ status: 'ok' }));

  server.setNotFoundHandler((_, reply) => sendProblem(reply, notFound));
  server.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error);
    meters.count(`media.failed.${problem.code}`, String(error));
    if (problem.status >= 500)
      log.error({ error, path: request.url.split('?', 1)[0] }, 'media request failed');

    return sendProblem(reply, problem);
  });

  return server;
};

/** Closes the server: responses underway get a moment to finish, then their connections are cut. */
export const closeHttpServer = async (server: FastifyInstance): Promise<void> => {
  const cut = setTimeout(() => server.server.closeAllConnections(), drainMs);
  try {
    await server.close();
  } finally {
    clearTimeout(cut);
  }
};
