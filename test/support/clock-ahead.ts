// Loaded before a program (`--import`): its wall clock is so much ahead of the machine's, in ms. What measures time by the monotonic clock
// goes on as it was.
const aheadMs = Number(process.env['CLOCK_AHEAD_MS']);
const Clock = Date;
const now = (): number => Clock.now() + aheadMs;

globalThis.Date = new Proxy(Clock, {
  construct: (target, args: unknown[]) =>
    Reflect.construct(target, args.length === 0 ? [now()] : args) as Date,
  get: (target, name) => (name === 'now' ? now : (Reflect.get(target, name) as unknown)),
});
