import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { Caller, Voice } from '@reelstream/testing/callers';
import type { Box } from './box.ts';
import { portsOf, siprec } from './offers.ts';

/** A SIPREC call on whose first track somebody speaks, until he is stopped. */
export class SpokenCall implements AsyncDisposable {
  readonly caller: Caller;
  readonly voice: Voice;
  readonly #stop = new AbortController();
  readonly #speaking: Promise<void>;

  private constructor(caller: Caller, voice: Voice) {
    this.caller = caller;
    this.voice = voice;
    this.#speaking = this.#speak();
  }

  static async open(box: Box): Promise<SpokenCall> {
    const caller = await Caller.open(box.target);
    const answer = await caller.invite(siprec());
    assert.equal(answer.status, 200);
    caller.ack();

    return new SpokenCall(caller, new Voice(portsOf(answer.body)[0] ?? 0, 0));
  }

  /** Resolves once the last packet is sent. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#speaking;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.voice[Symbol.dispose]();
    this.caller[Symbol.dispose]();
  }

  async #speak(): Promise<void> {
    for (; !this.#stop.signal.aborted; await pause(20)) await this.voice.say(1);
  }
}
