/** Asks one thread of a Node process a question of Chrome's inspector protocol. */
export type Ask = (method: string) => Promise<unknown>;

type Reply = { readonly result?: unknown; readonly error?: { readonly message: string } };
type Message = Reply & {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly sessionId: string; readonly message?: string };
};

/** The inspector of a process, with all its threads. */
export class Inspector implements AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<string, (reply: Reply) => void>();
  readonly #workers = new Set<string>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }: MessageEvent) =>
      this.#hear(JSON.parse(String(data)) as Message),
    );
  }

  /** Rejects where nobody listens there. */
  static async open(url: string): Promise<Inspector> {
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve, { once: true });
      socket.addEventListener('error', () => reject(new Error(`no inspector at ${url}`)), { once: true });
    });
    const inspector = new Inspector(socket);
    await inspector.#ask('NodeWorker.enable', { waitForDebuggerOnStart: false });

    return inspector;
  }

  /** The main thread first, then its workers. */
  get threads(): readonly Ask[] {
    return [
      (method) => this.#ask(method),
      ...[...this.#workers].map(
        (worker): Ask =>
          (method) =>
            this.#askWorker(worker, method),
      ),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#socket.addEventListener('close', resolve, { once: true }));
    this.#socket.close();
    await closed;
  }

  #hear({ id, method, params, ...reply }: Message): void {
    if (id !== undefined) this.#settle(`main ${id}`, reply);
    else if (method === 'NodeWorker.attachedToWorker' && params) this.#workers.add(params.sessionId);
    else if (method === 'NodeWorker.detachedFromWorker' && params) this.#workers.delete(params.sessionId);
    else if (method === 'NodeWorker.receivedMessageFromWorker' && params?.message !== undefined) {
      const { id: inner, ...said } = JSON.parse(params.message) as Message;
      this.#settle(`${params.sessionId} ${inner}`, said);
    }
  }

  #settle(key: string, reply: Reply): void {
    this.#waiting.get(key)?.(reply);
    this.#waiting.delete(key);
  }

  async #askWorker(sessionId: string, method: string): Promise<unknown> {
    const id = ++this.#lastId;
    const replied = this.#replyTo(`${sessionId} ${id}`, method);
    await this.#ask('NodeWorker.sendMessageToWorker', { sessionId, message: JSON.stringify({ id, method }) });

    return replied;
  }

  #ask(method: string, params: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const id = ++this.#lastId;
    const replied = this.#replyTo(`main ${id}`, method);
    this.#socket.send(JSON.stringify({ id, method, params }));

    return replied;
  }

  #replyTo(key: string, method: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(key, ({ result, error }) => {
        if (error) reject(new Error(`${method}: ${error.message}`));
        else resolve(result);
      });
    });
  }
}
