import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Reservation } from '@reelstream/events';
import { obstacleTo } from './admission.ts';
import { originOf } from './origin.ts';
import { claim, dropExpired, hold, reservedStreams } from './reservations.ts';
import { storageLevel } from './storage-level.ts';

describe('the storage level', () => {
  test('is entered at its threshold and left below a lower one', () => {
    const walk = (start: Parameters<typeof storageLevel>[0], used: number[]) =>
      used.map((percent) => (start = storageLevel(start, percent)));
    assert.deepEqual(walk('NORMAL', [74, 75, 70, 69.9, 90, 85, 84.9, 99, 97, 96.9, 100, 10]), [
      'NORMAL',
      'LOW',
      'LOW',
      'NORMAL',
      'CRITICAL',
      'CRITICAL',
      'LOW',
      'EMERGENCY',
      'EMERGENCY',
      'CRITICAL',
      'EMERGENCY',
      'NORMAL',
    ]);
  });
});

describe('a call is admitted', () => {
  const idle = {
    draining: false,
    storage: 'NORMAL',
    retention: 'never',
    load: 0,
    capacity: 4,
    weight: 2,
  } as const;

  test('while there is place for all of its streams', () => {
    assert.equal(obstacleTo(idle), undefined);
    assert.equal(obstacleTo({ ...idle, load: 2 }), undefined);
    assert.equal(obstacleTo({ ...idle, load: 3 }), 'no-capacity');
  });

  test('not while the node drains or its disk fills up', () => {
    assert.equal(obstacleTo({ ...idle, draining: true }), 'draining');
    assert.equal(obstacleTo({ ...idle, storage: 'LOW' }), undefined);
    assert.equal(obstacleTo({ ...idle, storage: 'CRITICAL' }), 'storage');
    assert.equal(obstacleTo({ ...idle, storage: 'CRITICAL', retention: 'age' }), 'storage');
  });

  test('while its disk is being freed of old recordings, up to an emergency', () => {
    for (const retention of ['space', 'age-or-space'] as const) {
      assert.equal(obstacleTo({ ...idle, storage: 'CRITICAL', retention }), undefined);
      assert.equal(obstacleTo({ ...idle, storage: 'EMERGENCY', retention }), 'storage');
    }
  });
});

describe('a reservation', () => {
  const reservation: Reservation = { reservationId: 'r1', callId: 'c1', weight: 2, ttlMs: 2_000 };

  test('counts until its call comes', () => {
    const held = hold(hold([], reservation, 0), reservation, 1);
    assert.equal(reservedStreams(held), 2);
    assert.equal(reservedStreams(claim(held, 'other')), 2);
    assert.equal(reservedStreams(claim(held, 'c1')), 0);
  });

  test('counts until its time is up', () => {
    const held = hold([], reservation, 1_000);
    assert.equal(reservedStreams(dropExpired(held, 2_999)), 2);
    assert.equal(reservedStreams(dropExpired(held, 3_000)), 0);
  });
});

describe('the origin of a session', () => {
  test('is the first server in preference that is alive, else the first', () => {
    assert.equal(originOf(['primary', 'secondary'], new Set(['secondary', 'primary'])), 'primary');
    assert.equal(originOf(['primary', 'secondary'], new Set(['secondary'])), 'secondary');
    assert.equal(originOf(['primary', 'secondary'], new Set()), 'primary');
  });
});
