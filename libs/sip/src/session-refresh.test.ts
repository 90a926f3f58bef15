import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refreshHeaders } from './session-refresh.ts';

const answerTo = (method: string, headers: Readonly<Record<string, string>>) =>
  refreshHeaders({ method, header: (name) => headers[name] });

test('a refresh hears its interval, and that it refreshes unless it wants us to', () => {
  for (const [asked, told] of [
    ['1800', '1800;refresher=uac'],
    ['1800;refresher=uac', '1800;refresher=uac'],
    ['90 ; Refresher=UAS', '90;refresher=uas'],
  ] as const) {
    const headers = { supported: '100rel, timer', 'session-expires': asked };
    for (const method of ['INVITE', 'UPDATE'])
      assert.deepEqual(answerTo(method, headers), { 'session-expires': told });
  }
});

test('nothing is said to a peer that knows no timers, asks for none, or asks for nonsense', () => {
  assert.deepEqual(answerTo('UPDATE', { supported: 'timers', 'session-expires': '1800' }), {});
  assert.deepEqual(answerTo('UPDATE', { 'session-expires': '1800' }), {});
  assert.deepEqual(answerTo('UPDATE', { supported: 'timer' }), {});
  assert.deepEqual(answerTo('UPDATE', { supported: 'timer', 'session-expires': '1800, 90\r\nX: y' }), {});
  assert.deepEqual(answerTo('INFO', { supported: 'timer', 'session-expires': '1800' }), {});
});
