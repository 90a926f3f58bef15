import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export type Received = {
  readonly at: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly data: { readonly session: string; readonly n: number };
};

/** A webhook endpoint that keeps what it gets. `answer` may leave a request unanswered. */
export class TestEndpoint implements AsyncDisposable {
  readonly received: Received[] = [];
  /** 204 for everything, unless a test says otherwise. */
  answer: (request: Received, response: ServerResponse) => void = (_, response) =>
    response.writeHead(204).end();
  readonly #server = createServer((request, response) => {
    text(request).then(
      (body) => this.#receive(request, body, response),
      () => response.destroy(),
    );
  });

  static async open(): Promise<TestEndpoint> {
    const endpoint = new TestEndpoint();
    endpoint.#server.listen(0, '127.0.0.1');
    await once(endpoint.#server, 'listening');

    return endpoint;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  /** Numbers that arrived for a session, repeats included. */
  numbersOf(session: string): number[] {
    return this.received.flatMap(({ data }) => (data.session === session ? [data.n] : []));
  }

  #receive(request: IncomingMessage, body: string, response: ServerResponse): void {
    const data = JSON.parse(body) as Received['data'];
    const received = { at: performance.now(), headers: request.headers, body, data };
    this.received.push(received);
    this.answer(received, response);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
