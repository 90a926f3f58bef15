import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeMetadata, parseMetadata } from '@reelstream/sip';
import type { Metadata } from '@reelstream/sip';
import { openSessions, turnOf } from './communication-sessions.ts';

const session = (id: string, stop = ''): string => `<session session_id="${id}">${stop}</session>`;
const stream = (id: string, sessionId: string, label: string): string =>
  `<stream stream_id="${id}" session_id="${sessionId}"><label>${label}</label></stream>`;
const sends = (participant: string, id: string, more = ''): string =>
  `<participantstreamassoc participant_id="${participant}"><send>${id}</send>${more}</participantstreamassoc>`;
const stopped = '<stop-time>2026-01-01T10:00:00Z</stop-time>';
const left = '<disassociate-time>2026-01-01T10:00:00Z</disassociate-time>';

const read = (mode: string, ...inner: readonly string[]): Metadata =>
  parseMetadata(`<recording><datamode>${mode}</datamode>${inner.join('')}</recording>`);
const first = read('complete', session('s1'), stream('t1', 's1', '1'), sends('p1', 't1'));
const updated = (...inner: readonly string[]): Metadata => mergeMetadata(first, read('partial', ...inner));

const told = (metadata: Metadata | undefined, ...labels: readonly string[]): string => {
  const turn = turnOf(new Set(['s1']), metadata, { labels: new Set(labels), hasLines: labels.length > 0 });

  return turn.kind === 'idle' ? 'idle' : `${turn.kind} ${[...turn.recorded].join()}`;
};

test('what is said of the running session alone changes nothing', () => {
  assert.equal(told(undefined, '1'), 'same ');
  assert.equal(told(first, '1'), 'same s1');
  assert.equal(told(first), 'same s1');
  assert.equal(told(read('complete'), '1'), 'same s1');
});

test('the first session named is the one that runs', () => {
  const turn = turnOf(new Set(), first, { labels: new Set(['1']), hasLines: true });
  assert.deepEqual(turn, { kind: 'same', recorded: new Set(['s1']) });
  assert.deepEqual(openSessions(undefined), new Set());
});

test('a session that has stopped is over once its media is; while it comes, it is recorded', () => {
  const over = updated(session('s1', stopped));
  assert.equal(told(over, '1'), 'same s1');
  assert.equal(told(over), 'idle');
});

test('one that follows is the next: after a stop, in place of the first, or on lines of its own', () => {
  const second = [session('s2'), stream('t2', 's2', '2'), sends('p1', 't2')];
  assert.equal(told(updated(session('s1', stopped), ...second), '2'), 'next s2');
  assert.equal(told(updated(session('s1', stopped), ...second)), 'next s2');
  assert.equal(told(read('complete', ...second), '2'), 'next s2');
  assert.equal(told(updated(...second), '2'), 'next s2');
  assert.equal(told(updated(...second, sends('p1', 't1', left)), '1', '2'), 'next s2');
});

test('those that overlap or share a stream are one', () => {
  assert.equal(told(updated(session('s2'), stream('t2', 's2', '2')), '1', '2'), 'same s1,s2');
  assert.equal(told(updated(session('s2'), stream('t2', 's2', '1')), '1'), 'same s1,s2');
  assert.equal(told(updated(session('s2')), '1'), 'same s1,s2');
});

test('one that is only announced does not end what runs, though its lines are gone for the moment', () => {
  assert.equal(told(updated(session('s2'), stream('t2', 's2', '2'))), 'same s1,s2');
});
