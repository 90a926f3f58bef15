import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connectBus } from '@reelstream/bus';
import type { Bus, KeyValue } from '@reelstream/bus';
import { pairListKey, pairsBucket, pairsMaxAgeMs, pairsSubject } from '@reelstream/events';
import { createMeters } from '@reelstream/service';
import { startNats, waitFor } from '@reelstream/testing';
import type { TestNats } from '@reelstream/testing';
import { PairClaims } from './pair-claims.ts';

let nats: TestNats;
let buses: Bus[];
const running: PairClaims[] = [];

const bucketOn = (bus: Bus) => bus.kv(pairsBucket, { maxAgeMs: pairsMaxAgeMs });

/** Two pilots, each on a connection of its own. */
const twoPilots = async (): Promise<readonly [PairClaims, PairClaims]> => {
  for (const pilot of running.splice(0)) pilot[Symbol.dispose]();
  const [one, other] = await Promise.all(
    buses.map(
      async (bus, index) =>
        new PairClaims(await bucketOn(bus), { bus, pilot: `pilot-${index}`, meters: createMeters() }),
    ),
  );
  assert.ok(one && other);
  running.push(one, other);

  return [one, other];
};

const connected = (wanted: boolean): Promise<unknown> =>
  waitFor(() => buses.every((bus) => bus.connected === wanted) || undefined, {
    deadlineMs: 30_000,
    describe: `connected: ${wanted}`,
  });

before(async () => {
  nats = await startNats();
  buses = await Promise.all(['one', 'other'].map((name) => connectBus({ url: nats.url, name })));
  await connected(true);
});
after(async () => {
  for (const bus of buses) await bus[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const byKey = () => ['key'];

test('two pilots that get a leg each in the same moment agree, and one of them holds both places', async () => {
  const [one, other] = await twoPilots();
  await bucketOn(buses[0]!).then((bucket) => bucket.get('none'));
  for (let pair = 0; pair < 50; pair += 1) {
    const key = `same|${pair}`;
    const agreed = await Promise.all([
      one.agree(key, { proposal: ['a', 'b'], byKey }),
      other.agree(key, { proposal: ['b', 'a'], byKey }),
    ]);
    assert.deepEqual(agreed[0].homes, agreed[1].homes);
    assert.deepEqual(new Set(agreed.map(({ legs }) => legs)), new Set([0, 2]));
  }
});

test('who has won holds both places, though it hears first that the other has followed it', async () => {
  const [, other] = await twoPilots();
  const [bus] = buses;
  assert.ok(bus);
  const bucket = await bucketOn(bus);
  const heard = new Promise<void>((resolve) => {
    bus.subscribe(pairsSubject, () => resolve());
  });
  const slow: KeyValue = {
    ...bucket,
    get: (key) => bucket.get(key),
    create: async (key, value) => {
      const isFirst = await bucket.create(key, value);
      await other.agree('overtaken', { proposal: ['b'], byKey });
      await heard;

      return isFirst;
    },
  };
  using one = new PairClaims(slow, { bus, pilot: 'pilot-0', meters: createMeters() });
  assert.deepEqual(await one.agree('overtaken', { proposal: ['a'], byKey }), {
    homes: ['a'],
    by: 'claim',
    legs: 2,
  });
});

test('both legs in one pilot, in the same moment, have one choice', async () => {
  const [pilot] = await twoPilots();
  const agreed = await Promise.all([
    pilot.agree('both|1', { proposal: ['a'], byKey }),
    pilot.agree('both|1', { proposal: ['b'], byKey }),
  ]);
  assert.deepEqual(agreed, [
    { homes: ['a'], by: 'claim', legs: 2 },
    { homes: ['a'], by: 'claim', legs: 0 },
  ]);
});

test('a pilot that has no home to propose still learns where the other leg went', async () => {
  const [one, other] = await twoPilots();
  assert.deepEqual((await one.agree('full|1', { proposal: [], byKey })).homes, []);
  await other.agree('full|1', { proposal: ['a'], byKey });
  assert.deepEqual((await one.agree('full|1', { proposal: [], byKey })).homes, ['a']);
});

test('what one pilot has done the other does too, whatever the bucket says', async () => {
  const [one, other] = await twoPilots();
  await (await bucketOn(buses[0]!)).put(pairListKey('told|1'), 'rubbish');
  await one.agree('told|1', { proposal: ['a'], byKey: () => ['chosen'] });
  await waitFor(
    async () => {
      const agreed = await other.agree(`told|1`, { proposal: ['b'], byKey: () => [] });

      return agreed.homes[0] === 'chosen' || undefined;
    },
    { deadlineMs: 30_000, describe: 'the other pilot was not told' },
  );
});

test('an entry that is none, and a bus that is away, leave the choice to the key', async () => {
  const [one, other] = await twoPilots();
  await (await bucketOn(buses[0]!)).put(pairListKey('odd|1'), 'rubbish');
  assert.deepEqual(await one.agree('odd|1', { proposal: ['a'], byKey }), {
    homes: ['key'],
    by: 'key',
    legs: 1,
  });

  await nats.stop();
  await connected(false);
  const legs = [
    await one.agree('away|1', { proposal: ['a'], byKey }),
    await other.agree('away|1', { proposal: ['b'], byKey }),
    // Both legs in one pilot: what was chosen once is kept.
    await one.agree('away|1', { proposal: ['a'], byKey: () => ['changed'] }),
  ];
  for (const leg of legs) assert.deepEqual(leg, { homes: ['key'], by: 'key', legs: 1 });
  await nats.restart();
  await connected(true);
});
