import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { TransientMap } from '@reelstream/domain/transient-map';
import { DirectRequest, DirectResponse } from './direct-invite.ts';
import type { Outcome } from './direct-invite.ts';
import type { Engine, SrfRequest, SrfResponse } from './srf.ts';

/*
 * Of all that passes between us and the SIP server, new INVITEs and their answers are what there is most of, and what
 * controllers wait for. drachtio-srf reads each three times and describes it to a log that nobody keeps; so these frames
 * are taken off its wire before it sees them (docs/decisions/0009). Everything else is its work.
 */

const lineEnd = '\r\n';

type Receivers = {
  /** Gets new INVITEs in drachtio-srf's shape. */
  readonly route: (request: SrfRequest, response: SrfResponse) => void;
  /** Hears why the server can't save its dialogs, or that it can; it says so only where it was asked to. */
  readonly storage: (trouble: string | undefined) => void;
};

/** Takes new INVITEs, and what drachtio-srf doesn't know, past it; it must have been told to connect. */
export const takeShortWay = (engine: Engine, receivers: Receivers): void => {
  const wire = engine.app.client?.wp;
  if (!wire) return;
  const way = new ShortWay(receivers);
  const others = wire.listeners('msg');
  wire.removeAllListeners('msg');
  wire.on('msg', (socket, text) => {
    if (way.take(socket, text)) return;
    for (const listener of others) listener(socket, text);
  });
  wire.on('close', (socket) => way.forget(socket));
};

class ShortWay {
  readonly #receivers: Receivers;
  /** INVITEs that have no final answer, by the server's name for their transaction. */
  readonly #invites = new TransientMap<DirectRequest>();
  /** Who waits for the answer to a frame, by the frame's id. */
  readonly #outcomes = new TransientMap<{ readonly socket: Socket; readonly tell: Outcome }>();
  /** Frames of this turn, which leave in one write. An entry stays as long as its connection. */
  readonly #gathered = new Map<Socket, { frames: string }>();

  constructor(receivers: Receivers) {
    this.#receivers = receivers;
  }

  /** Takes a frame; false for one that is none of ours. */
  take(socket: Socket, text: string): boolean {
    const end = text.indexOf(lineEnd);
    const fields = (end < 0 ? text : text.slice(0, end)).split('|');
    if (fields[1] === 'storage') return this.#toldOfStorage(fields);
    if (fields[1] === 'response') return this.#answered(fields, end < 0 ? undefined : text.slice(end + 2));
    if (fields[1] !== 'sip' || fields[2] !== 'network' || end < 0) return false;
    if (text.startsWith('CANCEL ', end + 2)) return this.#cancelled(fields[8] ?? '');
    if (fields[9] !== '' || !text.startsWith('INVITE ', end + 2)) return false;
    this.#invited(socket, fields, text.slice(end + 2));

    return true;
  }

  /** The connection is gone, and with it whatever was asked over it. */
  forget(gone: Socket): void {
    for (const [id, { socket }] of this.#outcomes.entries()) if (socket === gone) this.#outcomes.delete(id);
    for (const [id, { socket }] of this.#invites.entries()) if (socket === gone) this.#invites.delete(id);
    this.#gathered.delete(gone);
  }

  #invited(socket: Socket, fields: readonly string[], raw: string): void {
    const send = this.#send.bind(this);
    const request = new DirectRequest(socket, fields, raw, send);
    const { transactionId } = request;
    this.#invites.set(transactionId, request);
    this.#receivers.route(
      request,
      new DirectResponse(request, send, () => this.#invites.delete(transactionId)),
    );
  }

  #toldOfStorage([, , state, trouble]: readonly string[]): boolean {
    this.#receivers.storage(state === 'unsaved' ? (trouble ?? '') : undefined);

    return true;
  }

  #cancelled(transactionId: string): boolean {
    const request = this.#invites.get(transactionId);
    this.#invites.delete(transactionId);
    request?.cancelled();

    return request !== undefined;
  }

  #answered(fields: readonly string[], raw: string | undefined): boolean {
    const id = fields[2] ?? '';
    const outcome = this.#outcomes.get(id);
    // More answers will come to the same frame.
    if (fields[12] !== 'continue') this.#outcomes.delete(id);
    outcome?.tell(fields.slice(3), raw);

    return outcome !== undefined;
  }

  #send(socket: Socket, frame: string, tell: Outcome): void {
    if (socket.destroyed || !socket.writable) return tell(['NOK', 'socket connection closed'], undefined);
    const id = randomUUID();
    this.#outcomes.set(id, { socket, tell });
    const gathered = this.#gathered.get(socket) ?? { frames: '' };
    this.#gathered.set(socket, gathered);
    if (gathered.frames === '') queueMicrotask(() => flush(socket, gathered));
    const text = `${id}|${frame}`;
    gathered.frames += `${Buffer.byteLength(text)}#${text}`;
  }
}

const flush = (socket: Socket, gathered: { frames: string }): void => {
  const { frames } = gathered;
  gathered.frames = '';
  if (socket.writable) socket.write(frames);
};
