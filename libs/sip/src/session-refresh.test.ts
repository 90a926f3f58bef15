import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agreeTimer, timerHeaders } from './session-refresh.ts';
import type { SessionTimer } from './session-refresh.ts';

const answerTo = (method: string, headers: Readonly<Record<string, string>>, before?: SessionTimer) =>
  timerHeaders(agreeTimer({ method, header: (name) => headers[name] }, before));

test('who asks for a timer hears its interval, and that it refreshes unless it wants us to', () => {
  for (const [asked, told] of [
    ['1800', '1800;refresher=uac'],
    ['1800;refresher=uac', '1800;refresher=uac'],
  ] as const) {
    const headers = { supported: '100rel, timer', 'session-expires': asked };
    for (const method of ['INVITE', 'UPDATE'])
      assert.deepEqual(answerTo(method, headers), { 'session-expires': told, require: 'timer' });
  }
  const ours = { supported: 'timer', 'session-expires': '90 ; Refresher=UAS' };
  assert.deepEqual(answerTo('INVITE', ours), { 'session-expires': '90;refresher=uas' });
});

test("Unified CM's offer names no refresher and is armed all the same", () => {
  const headers = {
    supported: 'timer,resource-priority,replaces',
    'session-expires': '1800',
    'min-se': '1800',
  };
  assert.deepEqual(answerTo('INVITE', headers), {
    'session-expires': '1800;refresher=uac',
    require: 'timer',
  });
});

test('who knows timers and names no interval keeps the one agreed before, or gets the usual half hour', () => {
  const headers = { supported: 'timer' };
  assert.equal(answerTo('INVITE', headers)['session-expires'], '1800;refresher=uac');
  const before = { intervalS: 600, refresher: 'peer' } as const;
  assert.equal(answerTo('UPDATE', headers, before)['session-expires'], '600;refresher=uac');
  const least = { ...headers, 'min-se': '700' };
  assert.equal(answerTo('UPDATE', least, before)['session-expires'], '700;refresher=uac');
});

test('nothing is said to a peer that knows no timers; nonsense counts as nothing asked for', () => {
  assert.deepEqual(answerTo('UPDATE', { supported: 'timers', 'session-expires': '1800' }), {});
  assert.deepEqual(answerTo('UPDATE', { 'session-expires': '1800' }), {});
  assert.deepEqual(answerTo('INFO', { supported: 'timer', 'session-expires': '1800' }), {});
  const nonsense = { supported: 'timer', 'session-expires': '1800, 90\r\nX: y' };
  assert.equal(answerTo('UPDATE', nonsense)['session-expires'], '1800;refresher=uac');
});
