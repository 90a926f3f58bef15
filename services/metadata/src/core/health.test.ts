import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findMissing, healthOfServices, roles } from './health.ts';

const nodes = roles.map((role) => ({ heartbeat: { role, state: 'ready' as const }, alive: true }));
const base = { services: healthOfServices(nodes), busConnected: true, databaseState: 'READY' as const };

test('nothing is missing once every role has a ready node; catching up is stated, not missed', () => {
  assert.deepEqual(findMissing(base), []);
  assert.deepEqual(findMissing({ ...base, databaseState: 'CATCHING_UP' }), []);
});

test('bus, database and every role without a ready node are named', () => {
  const services = healthOfServices([
    { heartbeat: { role: 'pilot', state: 'draining' }, alive: true },
    { heartbeat: { role: 'capture', state: 'ready' }, alive: false },
    ...nodes.filter(({ heartbeat }) => heartbeat.role === 'metadata' || heartbeat.role === 'publisher'),
  ]);
  assert.deepEqual(findMissing({ services, busConnected: false, databaseState: 'AWAY' }), [
    'bus',
    'database',
    'pilot',
    'capture',
    'playback',
  ]);
  assert.deepEqual(services.pilot, { ready: 0, nodes: 1 });
});
