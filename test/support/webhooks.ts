import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { WebhookBody } from '@reelstream/events';

export type Received = {
  readonly headers: IncomingHttpHeaders;
  /** The bytes as they came: what the signature covers. */
  readonly text: string;
  readonly body: WebhookBody;
  /** performance.now() at arrival. */
  readonly at: number;
};

/** An integrator's endpoint on loopback that keeps all it is sent. */
export type Endpoint = AsyncDisposable & { readonly url: string; readonly received: readonly Received[] };

/** `answer` gives the HTTP status for a body, 204 by default, after `takesMs`: what an integrator does with it. */
export const startEndpoint = async (
  answer: (body: WebhookBody) => number = () => 204,
  takesMs = 0,
): Promise<Endpoint> => {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      const body = JSON.parse(text) as WebhookBody;
      received.push({ headers: request.headers, text, body, at: performance.now() });
      const reply = () => response.writeHead(answer(body)).end();
      if (takesMs > 0) setTimeout(reply, takesMs);
      else reply();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
