import type { Dialog } from '../dialog/dialogs.ts';
import type { Core } from './core.ts';

/** A dialog made by SUBSCRIBE ends by itself when nobody has refreshed it in time, and a little later for good measure. */
export function armSubscription(core: Core, dialog: Dialog, expiresS: number): void {
  const ms = expiresS * core.sessionSecondMs + 64 * core.timing.t1;
  core.dialogs.update(dialog, { ...dialog.state, sessionDue: Date.now() + ms });
  startSubscriptionTimer(core, dialog, ms);
}

export function startSubscriptionTimer(core: Core, dialog: Dialog, ms: number): void {
  clearTimeout(dialog.sessionTimer);
  dialog.sessionTimer = setTimeout(() => {
    core.counters.count('dialog.subscription-expired');
    core.dialogs.remove(dialog);
  }, ms);
}
