import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { waitFor } from '@reelstream/testing';
import type { DialogNames } from '../dialog.ts';

/** An application in a process of its own. */
export class Application implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #news: (readonly string[])[] = [];
  readonly #exited: Promise<unknown>;

  constructor(server: string, sdp: string) {
    this.#child = fork(new URL('./application/main.ts', import.meta.url), [server, sdp]);
    this.#exited = once(this.#child, 'exit');
    this.#child.on('message', (news: readonly string[]) => this.#news.push(news));
  }

  /** The next news of this kind. */
  async tells(kind: string): Promise<readonly string[]> {
    return waitFor(
      () => {
        const at = this.#news.findIndex(([first]) => first === kind);

        return at < 0 ? undefined : this.#news.splice(at, 1)[0];
      },
      { deadlineMs: 30_000, describe: () => `no ${kind}, but ${this.#news.join('; ')}` },
    );
  }

  hangUp(names: DialogNames): void {
    this.#child.send(names);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
