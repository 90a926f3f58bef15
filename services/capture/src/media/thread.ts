import { parentPort, Worker } from 'node:worker_threads';

/** What a thread can be asked: name → request and reply. All of it must survive a structured clone. */
export type Calls = Readonly<Record<string, { readonly request: unknown; readonly reply: unknown }>>;

type Asked = { readonly id: number; readonly name: string; readonly request: unknown };
type Answered = { readonly id: number; readonly reply?: unknown; readonly error?: unknown };
type Said = { readonly notice: unknown };
type Pending = { readonly resolve: (reply: unknown) => void; readonly reject: (error: Error) => void };

/** A thread and the questions put to it. */
export class Thread<C extends Calls, Notice> {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #lost: Error | undefined;

  /** `onLost` is called once where the thread ends without having been asked to; what was asked rejects. */
  constructor(
    script: URL,
    options: {
      readonly name: string;
      readonly workerData: unknown;
      readonly onNotice: (notice: Notice) => void;
      readonly onLost: (error: Error) => void;
    },
  ) {
    this.#worker = new Worker(script, { name: options.name, workerData: options.workerData });
    this.#worker.on('message', (message: Answered | Said) => {
      if ('notice' in message) options.onNotice(message.notice as Notice);
      else this.#answer(message);
    });
    const lose = (error: Error): void => {
      if (this.#lost) return;
      this.#fail(error);
      options.onLost(error);
    };
    this.#worker.on('error', (error) => lose(error instanceof Error ? error : new Error(String(error))));
    this.#worker.on('exit', (code) => lose(new Error(`thread ${options.name} ended with code ${code}`)));
  }

  /** Rejects with what the handler threw, or where the thread is gone. */
  call<K extends keyof C>(name: K, request: C[K]['request']): Promise<C[K]['reply']> {
    if (this.#lost) return Promise.reject(this.#lost);
    const id = ++this.#lastId;

    return new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ id, name: String(name), request } satisfies Asked);
    });
  }

  /** Ends the thread now; let it finish its work by a call before. */
  async end(): Promise<void> {
    this.#fail(new Error('the thread was ended'));
    await this.#worker.terminate();
  }

  #answer({ id, reply, error }: Answered): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (error === undefined) pending?.resolve(reply);
    else
      pending?.reject(
        error instanceof Error ? error : new Error('a thread failed without saying how', { cause: error }),
      );
  }

  #fail(error: Error): void {
    this.#lost = error;
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

export type Handlers<C extends Calls> = {
  readonly [K in keyof C]: (request: C[K]['request']) => C[K]['reply'] | Promise<C[K]['reply']>;
};

/** Inside a thread: tells the main thread something. */
export const say = (notice: unknown): void => parentPort?.postMessage({ notice } satisfies Said);

/** Inside a thread: answers what it is asked; what comes while handlers are awaited, waits too. */
export const serve = <C extends Calls>(handlers: Promise<Handlers<C>>): void => {
  // A thread that could not begin says so to whoever asks it.
  handlers.catch(() => undefined);
  parentPort?.on('message', ({ id, name, request }: Asked) => {
    handlers
      .then((ready) => ready[name as keyof C](request))
      .then(
        (reply) => parentPort?.postMessage({ id, reply } satisfies Answered),
        (error: unknown) => parentPort?.postMessage({ id, error } satisfies Answered),
      );
  });
};
