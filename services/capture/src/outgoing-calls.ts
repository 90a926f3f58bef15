import type { CommandReply } from '@reelstream/events';
import { SipError } from '@reelstream/sip';
import type { SipEndpoint } from '@reelstream/sip';
import type { CaptureNode } from './capture-node.ts';
import { dial } from './dial.ts';
import type { DialOrder } from './dial.ts';

/** A command that is repeated within this time is answered as before, and dials nobody a second time. */
const rememberedMs = 600_000;

/** What may change from one moment to the next; nobody was called. */
const neverDialled: readonly string[] = ['no-capacity', 'draining', 'storage', 'no-sip', 'not-configured'];

/** Calls that this node places, from the command to the answer. */
export class OutgoingCalls implements Disposable {
  readonly #node: CaptureNode;
  readonly #replies = new Map<string, Promise<CommandReply>>();
  readonly #closing = new AbortController();
  #sip: SipEndpoint | undefined;

  constructor(node: CaptureNode) {
    this.#node = node;
  }

  /** From now on calls can be placed. */
  placeBy(sip: SipEndpoint): void {
    this.#sip = sip;
  }

  /** Answered once the call's first event is journalled, or it is known to have failed. A repeat has the same answer. */
  dial(order: Omit<DialOrder, 'closing'>): Promise<CommandReply> {
    const { commandId } = order;
    const before = this.#replies.get(commandId);
    if (before) return before;
    const reply = this.#dial(order);
    this.#replies.set(commandId, reply);
    const forget = (): boolean => this.#replies.delete(commandId);
    setTimeout(forget, rememberedMs).unref();
    void reply.then(({ code }) => code !== undefined && neverDialled.includes(code) && forget());

    return reply;
  }

  /** Takes back what rings. */
  [Symbol.dispose](): void {
    this.#closing.abort();
  }

  async #dial(order: Omit<DialOrder, 'closing'>): Promise<CommandReply> {
    const sip = this.#sip;
    if (!sip?.connected) return { ok: false, code: 'no-sip', detail: 'no connection to the SIP server' };
    try {
      return await dial(this.#node, sip, { ...order, closing: this.#closing.signal });
    } catch (error) {
      this.#node.log.error({ error, commandId: order.commandId }, 'call could not be placed');
      const code = error instanceof SipError ? 'unreachable' : 'internal-error';

      return { ok: false, code, detail: error instanceof Error ? error.message : String(error) };
    }
  }
}
