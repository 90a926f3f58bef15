import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { catalogue, isEventType } from './catalogue.ts';
import { publicTypes } from './public/webhook.ts';
import { eventSubject } from './subjects.ts';
import { understand } from './upcast.ts';

const fixturesFolder = new URL('../fixtures/', import.meta.url);
const fixture = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(name, fixturesFolder), 'utf8')) as Record<string, unknown>;

const dataOf = (event: Record<string, unknown>): object => event['data'] as object;

test('every schema an event ever had has its frozen fixture, and no fixture is without an event', () => {
  const wanted = Object.entries(catalogue).flatMap(([type, { schema }]) =>
    Array.from({ length: schema }, (_, index) => `${type}.${index + 1}.json`),
  );
  assert.deepEqual(readdirSync(fixturesFolder).toSorted(), wanted.toSorted());
});

test('every fixture is understood as the current schema of its type', () => {
  for (const name of readdirSync(fixturesFolder)) {
    const understood = understand(fixture(name));
    assert.equal(understood.status, 'known', `${name}: ${JSON.stringify(understood)}`);
    assert.ok(understood.status === 'known');
    assert.equal(understood.event.schema, catalogue[understood.event.type].schema);
    assert.ok(name.startsWith(`${understood.event.type}.`));
  }
});

test('an event from a newer version is kept unknown, whether its type or its schema is new', () => {
  const known = fixture('session.ended.1.json');
  assert.equal(understand({ ...known, type: 'session.archived' }).status, 'unknown');
  assert.equal(understand({ ...known, schema: 99 }).status, 'unknown');
});

test('fields of a newer writer are no reason to refuse an event', () => {
  const known = fixture('session.ended.1.json');
  assert.equal(understand({ ...known, later: true, data: { ...dataOf(known), later: 1 } }).status, 'known');
});

test('what is broken is invalid, with the place named', () => {
  const known = fixture('session.ended.1.json');
  const broken: readonly [unknown, RegExp][] = [
    [undefined, /envelope/],
    ['text', /envelope/],
    [{ ...known, id: undefined }, /envelope/],
    [{ ...known, version: 0 }, /envelope: \/version/],
    [{ ...known, data: { ...dataOf(known), state: 'OPEN' } }, /session\.ended: \/state/],
    [{ ...known, data: null }, /session\.ended/],
    [{ ...known, type: 'toString' }, /unknown/],
  ];
  for (const [value, reason] of broken) {
    const understood = understand(value);
    if (understood.status === 'invalid') assert.match(understood.reason, reason);
    else assert.match(understood.status, reason);
  }
});

test('subjects carry the family and the key, never the type', () => {
  assert.equal(eventSubject('session.ended', 'k'), 'ev.session.k');
  assert.equal(eventSubject('recording.sealed', 'k'), 'ev.recording.k');
  assert.equal(eventSubject('attempt.lost', 'pilot-1'), 'ev.node.pilot-1');
});

test('every public type is an event', () => {
  assert.ok(publicTypes.every(isEventType));
});
