import { open } from 'node:fs/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { matchesTag, parseRange } from '../core/range.ts';
import type { MediaFile } from '../export/exports.ts';

/** Range only applies to the version that If-Range names, and to GET (RFC 9110 §13.1.5, §14.2). */
const rangeOf = ({ headers }: FastifyRequest, etag: string): string | undefined => {
  const condition = headers['if-range'];

  return condition === undefined || condition === etag ? headers.range : undefined;
};

/** Answers GET and HEAD with a file: 200, 206 for one range, 304, or 416. */
export const sendFile = async (
  request: FastifyRequest,
  reply: FastifyReply,
  file: MediaFile,
): Promise<FastifyReply> => {
  reply.headers({
    etag: file.etag,
    'accept-ranges': 'bytes',
    'cache-control': 'private, no-cache',
    'content-disposition': `inline; filename="${file.fileName}"`,
    ...file.headers,
  });
  if (matchesTag(request.headers['if-none-match'], file.etag)) return reply.code(304).send();

  const handle = await open(file.path, 'r');
  try {
    const { size } = await handle.stat();
    const range =
      request.method === 'HEAD' ? parseRange(undefined, size) : parseRange(rangeOf(request, file.etag), size);
    if (range.kind === 'unsatisfiable') {
      await handle.close();

      return reply.code(416).header('content-range', `bytes */${size}`).send();
    }
    const { first, last } = range.kind === 'part' ? range : { first: 0, last: size - 1 };
    if (range.kind === 'part') reply.code(206).header('content-range', `bytes ${first}-${last}/${size}`);
    reply.type(file.contentType).header('content-length', last - first + 1);
    if (request.method === 'HEAD' || size === 0) {
      await handle.close();

      return reply.send();
    }

    return reply.send(handle.createReadStream({ start: first, end: last }));
  } catch (error) {
    await handle.close();
    throw error;
  }
};
