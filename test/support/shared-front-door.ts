import { after, before } from 'node:test';
import { startFrontDoor } from './front-door.ts';
import type { FrontDoor } from './front-door.ts';
import { RawTcp } from './raw-tcp.ts';
import { RawUdp } from './raw-udp.ts';

/** A front door for all tests of a file, and callers to it that end with the file. */
export type SharedFrontDoor = {
  readonly door: FrontDoor;
  udp(): Promise<RawUdp>;
  tcp(): Promise<RawTcp>;
};

/** To be called at the top of a test file; `homes` as in startFrontDoor. */
export const shareFrontDoor = (options: { readonly homes?: number } = {}): SharedFrontDoor => {
  const stack = new AsyncDisposableStack();
  let started: FrontDoor | undefined;
  before(async () => {
    started = stack.use(await startFrontDoor(options));
  });
  after(() => stack.disposeAsync());
  const door = (): FrontDoor => {
    if (!started) throw new Error('the front door is there from the first test on');

    return started;
  };

  return {
    get door() {
      return door();
    },
    udp: async () => stack.use(await RawUdp.open(door().port)),
    tcp: async () => stack.use(await RawTcp.open(door().port)),
  };
};
