import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { isUnavailable } from '@reelstream/store';
import { StartupError } from '@reelstream/service';
import Fastify, { errorCodes } from 'fastify';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Api, Routes } from './api.ts';
import { requireToken } from './auth.ts';
import { controllerRoutes } from './controllers.ts';
import { controlRoutes } from './control.ts';
import { deletionRoutes } from './deletion.ts';
import { drainRoutes } from './drains.ts';
import { eventRoutes } from './events.ts';
import { explanationRoutes } from './explanation.ts';
import { healthRoutes } from './health.ts';
import { mediaRoutes } from './media.ts';
import { nodeRoutes } from './nodes.ts';
import { formatProblem, Problem } from './problem.ts';
import { recordingRoutes } from './recordings.ts';
import { reconcileRoutes } from './reconcile.ts';
import { ruleRoutes } from './rules.ts';
import { sessionRoutes } from './sessions.ts';
import { statusRoutes } from './status.ts';
import { subscriptionRoutes } from './subscriptions.ts';
import { tagRoutes } from './tags.ts';
import { validatorCompiler } from './validation.ts';

const prefix = '/api/v1';
const largestBodyBytes = 64 * 1024;
const requestTimeoutMs = 10_000;

/** Those that need the database. */
const storedRoutes: readonly Routes[] = [
  sessionRoutes,
  controlRoutes,
  tagRoutes,
  deletionRoutes,
  mediaRoutes,
  subscriptionRoutes,
  eventRoutes,
  statusRoutes,
  reconcileRoutes,
  ruleRoutes,
  controllerRoutes,
  drainRoutes,
  explanationRoutes,
  recordingRoutes,
];

/** What an error is to the client. Undefined for a bug of ours: its words stay in the log. */
const toProblem = (error: unknown): Problem | undefined => {
  if (error instanceof Problem) return error;
  if (isUnavailable(error))
    return new Problem(503, 'DATABASE_UNAVAILABLE', 'the database can not be reached');
  if (error instanceof errorCodes.FST_ERR_CTP_BODY_TOO_LARGE)
    return new Problem(413, 'TOO_LARGE', `a body has at most ${largestBodyBytes} bytes`);
  if (error instanceof errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE)
    return new Problem(415, 'UNSUPPORTED_MEDIA_TYPE', 'a body is application/json');
  const status: unknown = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  if (error instanceof Error && typeof status === 'number' && status >= 400 && status < 500) {
    const isBody = 'code' in error && String(error.code).startsWith('FST_ERR_CTP_');

    return new Problem(status, isBody ? 'INVALID_BODY' : 'REQUEST_REFUSED', error.message);
  }

  return undefined;
};

const sendProblem = (reply: FastifyReply, problem: Problem): FastifyReply => {
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
  if (problem.status === 503) reply.header('retry-after', '1');

  return reply.code(problem.status).type('application/problem+json').send(formatProblem(problem));
};

/** Before it was first reached, the database may not even have its tables. */
const requireDatabase =
  ({ progress }: Api) =>
  async (): Promise<void> => {
    if (progress.state === 'STARTING')
      throw new Problem(503, 'DATABASE_UNAVAILABLE', 'the database was not reached yet');
  };

const describeApi = async (app: FastifyInstance): Promise<void> => {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Reelstream',
        description:
          'Recorded sessions, their media, subscriptions to events, and the rules for incoming calls.',
        version: '1',
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
  });
  await app.register(swaggerUi, { routePrefix: `${prefix}/docs` });
};

/** Many clients call any request JSON, also one without a body: a body that is missing is missed where one is wanted. */
const allowEmptyBodies = (app: FastifyInstance): void => {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else void parse(request, body, done);
  });
};

/** The API over HTTP, not yet listening. */
export const createServer = async (api: Api): Promise<FastifyInstance> => {
  const app = Fastify({
    bodyLimit: largestBodyBytes,
    requestTimeout: requestTimeoutMs,
    connectionTimeout: 0,
    keepAliveTimeout: 30_000,
    forceCloseConnections: true,
    // Call-IDs are long with some, and longer still when escaped.
    routerOptions: { maxParamLength: 2_000 },
    // Errors before routing, e.g. a malformed URL.
    frameworkErrors: (error, _request, reply) =>
      void sendProblem(reply, toProblem(error) ?? new Problem(400, 'REQUEST_REFUSED', error.message)),
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.removeContentTypeParser('text/plain');
  allowEmptyBodies(app);
  app.setValidatorCompiler(validatorCompiler);
  // Answers are made from typed values: their schemas are documentation.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.setErrorHandler((error, request, reply) => {
    const problem = toProblem(error);
    if (!problem) api.log.error({ error, method: request.method, url: request.url }, 'request failed');

    return sendProblem(
      reply,
      problem ?? new Problem(500, 'INTERNAL', 'this is a fault of ours; it is in the log'),
    );
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(reply, new Problem(404, 'NOT_FOUND', `there is no ${request.method} ${request.url}`)),
  );
  await describeApi(app);
  await app.register(healthRoutes(api), { prefix });
  await app.register(
    async (guarded) => {
      guarded.addHook('onRequest', requireToken(api.token));
      await guarded.register(nodeRoutes(api));
      await guarded.register(async (stored) => {
        stored.addHook('onRequest', requireDatabase(api));
        for (const routes of storedRoutes) await stored.register(routes(api));
      });
    },
    { prefix },
  );

  return app;
};

/** Begins to listen. Throws StartupError where the port can't be had. Returns the port. */
export const listen = async (app: FastifyInstance, host: string, port: number): Promise<number> => {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartupError(`REEL_HTTP_PORT=${port} on ${host} can not be used: ${reason}`, { cause: error });
  }

  const address = app.server.address();

  return typeof address === 'object' && address ? address.port : port;
};
