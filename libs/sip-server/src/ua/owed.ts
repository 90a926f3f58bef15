import type { Dialog } from '../dialog/dialogs.ts';
import type { Core, Owed } from './core.ts';

const MAX_OWED = 10_000;

/** Sends a frame to the owner of a dialog, now or when it is back. */
export function owe(core: Core, news: Omit<Owed, 'since'>): void {
  const owed = { ...news, since: performance.now() };
  if (pay(core, owed)) return;
  if (core.owed.length === MAX_OWED) {
    core.owed.shift();
    core.counters.count('owed.dropped');
  }
  core.owed.push(owed);
}

/** Sends what is owed to applications that are here by now, in the order it came about. */
export function flushOwed(core: Core): void {
  const waiting = core.owed.splice(0);
  for (const owed of waiting) {
    if (!pay(core, owed)) core.owed.push(owed);
  }
}

/** The peer has sent its BYE again: the application will get that one. */
export function forgetOwedBye(core: Core, dialog: Dialog | undefined): void {
  const at = dialog === undefined ? -1 : core.owed.findIndex(({ ended }) => ended === dialog);
  if (at !== -1) core.owed.splice(at, 1);
}

function pay(core: Core, { owner, meta, message, afterwards }: Owed): boolean {
  const app = core.apps.heirOf(owner);
  if (app === undefined) return false;
  app.send(meta, message);
  afterwards?.();
  return true;
}
