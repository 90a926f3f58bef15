import type { MediaStream, SentMedia } from './media/stream.ts';
import type { AnsweredMedia } from './sdp.ts';
import type { CallOptions } from './place.ts';
import type { CallerDialog, InDialogRequest } from './sip/dialog.ts';
import type { SipResponse } from './sip/message.ts';

/** Who ended a call. */
export type CallEnd = 'hung-up' | 'bye-received';

type Media = { readonly stream: MediaStream; readonly to: AnsweredMedia };

type Established = {
  readonly dialog: CallerDialog;
  readonly redirects: readonly string[];
  readonly answeredAfterMs: number;
  readonly media: readonly Media[];
  readonly byeReceived: Promise<void>;
  readonly options: CallOptions;
};

/** A call that was answered and whose media flow. */
export class PlacedCall implements AsyncDisposable {
  readonly callId: string;
  /** From the first INVITE to the 200, redirects included. */
  readonly answeredAfterMs: number;
  /** Contacts that redirects led to, in order; the last one answered. */
  readonly redirects: readonly string[];
  /** Resolves when every leg has sent its audio, or the call is over. */
  readonly mediaSent: Promise<void>;
  /** Resolves when the call is over and its sockets are closed. */
  readonly ended: Promise<CallEnd>;
  readonly #call: Established;
  readonly #resources: AsyncDisposableStack;
  readonly #stop = new AbortController();
  readonly #end = Promise.withResolvers<CallEnd>();
  #hangingUp: Promise<number> | undefined;

  constructor(call: Established, resources: AsyncDisposableStack) {
    this.#call = call;
    this.#resources = resources;
    this.callId = call.dialog.callId;
    this.answeredAfterMs = call.answeredAfterMs;
    this.redirects = call.redirects;
    this.ended = this.#end.promise;
    this.mediaSent = this.#sendMedia();
    void call.byeReceived.then(() => this.#finish('bye-received'));
  }

  /** The contact that answered, if redirects led to it. */
  get redirectedTo(): string | undefined {
    return this.redirects.at(-1);
  }

  /** What each leg has sent so far, in the order of the legs. */
  get sent(): readonly SentMedia[] {
    return this.#call.media.map(({ stream }) => stream.sent);
  }

  /** Where each leg sends to; undefined for one the other side doesn't want. */
  get destinations(): readonly AnsweredMedia[] {
    return this.#call.media.map(({ to }) => to);
  }

  /** Sends a request inside the dialog and resolves with its final response; an INVITE is acknowledged. */
  request(request: InDialogRequest): Promise<SipResponse> {
    return this.#call.dialog.request(request);
  }

  /** Stops the media, sends BYE and resolves with the status of its answer. A second call changes nothing. */
  hangUp(): Promise<number> {
    this.#hangingUp ??= this.#hangUp();

    return this.#hangingUp;
  }

  /** Leaves without a word: media stop and sockets close, as if the caller's machine had died. */
  async vanish(): Promise<void> {
    this.#hangingUp ??= Promise.resolve(0);
    await this.#finish('hung-up');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hangUp().catch(() => undefined);
    await this.ended;
  }

  async #hangUp(): Promise<number> {
    this.#stop.abort();
    try {
      for (const { stream, to } of this.#call.media) if (to) stream.finish(to);
      const response = await this.#call.dialog.request({ method: 'BYE' });

      return response.status;
    } finally {
      await this.#finish('hung-up');
    }
  }

  async #sendMedia(): Promise<void> {
    const { media, options } = this.#call;
    const speed = options.pace === undefined || options.pace === 'realtime' ? 1 : options.pace;
    const startedAt = performance.now();
    await Promise.all(
      media.map(async ({ stream, to }) => {
        const durationMs = options.durationMs ?? stream.lengthMs;
        if (to) await stream.play(to, { durationMs, speed, startedAt, signal: this.#stop.signal });
      }),
    );
  }

  async #finish(end: CallEnd): Promise<void> {
    this.#hangingUp ??= Promise.resolve(200);
    this.#stop.abort();
    await this.mediaSent;
    await this.#resources.disposeAsync();
    this.#end.resolve(end);
  }
}
