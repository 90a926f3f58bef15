import { setTimeout as sleep } from 'node:timers/promises';
import type { PublicSession, WebhookBody } from '@reelstream/events';
import { waitFor } from '@reelstream/testing';
import type { System } from '../../support/system.ts';
import { startEndpoint } from '../../support/webhooks.ts';
import type { Calls, RunningCall } from '../support/calls.ts';
import type { Sender } from '../support/sender.ts';

export type LoadFigures = {
  /** Calls that are there now, and sent to. */
  running: number;
  sent: number;
  kept: number;
  calls: number;
  closedNormal: number;
  deleted: number;
};

const voices = 2;
/** What had left when the sender ended is read and written. */
const settleMs = 500;
const toldWithinMs = 120_000;

/**
 * Lots of calls, each of which begins, is recorded for some seconds, ends, is sealed, told by webhook, and deleted, over and over.
 * Packets are counted by what the webhooks say of sealed recordings.
 */
export class Load implements AsyncDisposable {
  readonly figures: LoadFigures = { running: 0, sent: 0, kept: 0, calls: 0, closedNormal: 0, deleted: 0 };
  readonly #told = new Map<string, PublicSession>();
  readonly #system: System;
  readonly #home: Calls;
  readonly #send: Sender;
  #endpoint: Awaited<ReturnType<typeof startEndpoint>> | undefined;

  private constructor(system: System, home: Calls, send: Sender) {
    this.#system = system;
    this.#home = home;
    this.#send = send;
  }

  static async open(system: System, home: Calls, send: Sender): Promise<Load> {
    const load = new Load(system, home, send);
    load.#endpoint = await startEndpoint((body) => load.#hear(body));
    const subscription = { url: load.#endpoint.url, types: ['recording.sealed'] };
    await system.json('/subscriptions', { method: 'POST', body: JSON.stringify(subscription) });

    return load;
  }

  /** One lot, from its first INVITE to its last deletion. */
  async lot(calls: number, seconds: number): Promise<void> {
    const { ended } = await this.begin(calls, seconds);
    await ended;
  }

  /** One lot, until all of its calls are there and are sent to. */
  async begin(calls: number, seconds: number): Promise<{ readonly ended: Promise<void> }> {
    const placed = await this.#home.placeAll(calls, voices);
    const ended = this.#end(placed, seconds);
    // Whoever waits for it hears of it.
    ended.catch(() => undefined);

    return { ended };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#endpoint?.[Symbol.asyncDispose]();
  }

  async #end(placed: readonly RunningCall[], seconds: number): Promise<void> {
    const ports = placed.flatMap(({ rtpPorts }) => rtpPorts);
    this.figures.running += placed.length;
    const { sent } = await this.#send(ports, seconds);
    await sleep(settleMs);
    this.figures.running -= placed.length;
    await this.#home.hangUp(placed);
    this.figures.sent += sent;
    this.figures.calls += placed.length;
    for (const call of placed) await this.#judge(call);
  }

  #hear({ type, data }: WebhookBody): number {
    const session = data as PublicSession;
    if (type === 'recording.sealed') this.#told.set(session.dialogs[0]?.callId ?? '', session);

    return 204;
  }

  async #judge({ callId }: RunningCall): Promise<void> {
    const { sessionId, state, tracks } = await waitFor(() => this.#told.get(callId), {
      deadlineMs: toldWithinMs,
      everyMs: 500,
      describe: `nothing was told of ${callId}`,
    });
    this.#told.delete(callId);
    this.figures.kept += tracks.reduce((sum, { packets = 0 }) => sum + packets, 0);
    if (state === 'CLOSED_NORMAL') this.figures.closedNormal += 1;
    const { status } = await this.#system.api(`/sessions/${sessionId}`, { method: 'DELETE' });
    if (status < 300) this.figures.deleted += 1;
  }
}
