import type { Core, Owed } from './core.ts';

const MAX_OWED = 10_000;

/** Sends a frame to the owner of a dialog, now or when it is back. */
export function owe(core: Core, owed: Owed): void {
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

function pay(core: Core, { owner, meta, message, afterwards }: Owed): boolean {
  const app = core.apps.heirOf(owner);
  if (app === undefined) return false;
  app.send(meta, message);
  afterwards?.();
  return true;
}
