import { once } from 'node:events';
import Type from 'typebox';
import { DatabaseBehindError, reconcile, ReconcileBusyError } from '../reconcile/reconcile.ts';
import type { ReportLine } from '../reconcile/report.ts';
import type { Routes } from './api.ts';
import { Problem, ProblemDetails } from './problem.ts';

const Body = Type.Object(
  {
    mend: Type.Optional(Type.Boolean({ description: 'put right what differs' })),
    media: Type.Optional(Type.Boolean({ description: 'read all media, and compare it with its hashes' })),
  },
  { additionalProperties: false },
);

const toProblem = (error: unknown): unknown => {
  if (error instanceof ReconcileBusyError) return new Problem(409, 'RECONCILE_BUSY', error.message);
  if (error instanceof DatabaseBehindError) return new Problem(503, 'DATABASE_BEHIND', error.message);

  return error;
};

/** Folders, stream and database compared: a line of JSON for whatever differs, and one with the figures at last. */
export const reconcileRoutes: Routes = (api) => async (app) => {
  app.post(
    '/reconcile',
    {
      schema: {
        tags: ['status'],
        body: Type.Optional(Body),
        response: {
          200: Type.String({ description: 'application/x-ndjson; the last line is the summary' }),
          '4xx': ProblemDetails,
          '5xx': ProblemDetails,
        },
      },
    },
    async (request, reply) => {
      const { mend = false, media = false } = request.body ?? {};
      const response = reply.raw;
      const gone = new AbortController();
      response.on('close', () => gone.abort());
      // The answer begins with its first line: until then it may still be refused.
      const tell = async (line: ReportLine): Promise<void> => {
        if (!reply.sent) {
          reply.hijack();
          response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
        }
        if (!response.write(`${JSON.stringify(line)}\n`))
          await once(response, 'drain', { signal: gone.signal });
      };
      try {
        await reconcile(api, { mend, media, signal: gone.signal, tell });
      } catch (error) {
        if (!reply.sent) throw toProblem(error);
        api.log.warn({ error }, 'reconciling was broken off');
        if (!response.destroyed)
          await tell({ kind: 'failed', detail: error instanceof Error ? error.message : String(error) });
      }
      response.end();
    },
  );
};
