import type { Dialog } from '../dialog/dialogs.ts';
import { NO_BODY } from '../message/message.ts';
import type { Core } from './core.ts';
import { dialogRequest } from './dialog-request.ts';
import { hangUp } from './hang-up.ts';

/** When dialogs that nobody cares for any more are ended, in ms. */
export type SweepTimes = {
  /** Without an application for this long: BYE. */
  readonly orphanMs: number;
  /** Without session timers and a word from the peer for this long: it is asked whether it is still there. */
  readonly silentMs: number;
};

/** Looks after dialogs that would never end by themselves; gives what stops it. */
export function startSweeping(core: Core, times: SweepTimes): () => void {
  const every = Math.max(10, Math.min(times.orphanMs, times.silentMs) / 10);
  const timer = setInterval(() => sweep(core, times), Math.min(every, LONGEST_PAUSE_MS));
  return () => clearInterval(timer);
}

const LONGEST_PAUSE_MS = 60_000;

function sweep(core: Core, times: SweepTimes): void {
  const now = performance.now();
  for (const dialog of core.dialogs.all()) {
    if (dialog.state.phase === 'early') continue;
    if (core.apps.heirOf(dialog.state.owner) !== undefined) dialog.orphanSince = undefined;
    else if (now - (dialog.orphanSince ??= now) > times.orphanMs) abandon(core, dialog);
    const { session, madeBy } = dialog.state;
    const isUnwatched = session === null && madeBy === 'INVITE';
    if (isUnwatched && now - dialog.heardAt > times.silentMs && core.dialogs.has(dialog)) ask(core, dialog);
  }
  while (now - (core.owed[0]?.since ?? now) > times.orphanMs) core.owed.shift();
}

function abandon(core: Core, dialog: Dialog): void {
  core.counters.count('dialog.orphaned');
  if (dialog.state.madeBy === 'INVITE') hangUp(core, dialog, 'application gone');
  else core.dialogs.remove(dialog);
}

/** Any answer is a sign of life, but those that say that there is no such dialog, or nobody (RFC 3261 §12.2.1.2). */
function ask(core: Core, dialog: Dialog): void {
  dialog.heardAt = performance.now();
  const gone = (): void => {
    if (!core.dialogs.has(dialog)) return;
    core.counters.count('dialog.peer-gone');
    hangUp(core, dialog, 'no answer');
  };
  dialogRequest(core, dialog, { method: 'OPTIONS', headers: [], body: NO_BODY }, (made) => {
    if (typeof made === 'string') return gone();
    core.transactions.send(made.request, made.flow, {
      response: ({ status }) => {
        if (status === 481 || status === 408) gone();
      },
      failed: gone,
    });
    return undefined;
  });
}
