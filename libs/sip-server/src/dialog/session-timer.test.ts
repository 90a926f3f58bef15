import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { NO_BODY, makeHeader } from '../message/message.ts';
import { agreeAsClient, agreeAsServer, deadlineS, isTooShort, timerHeaders } from './session-timer.ts';

type Fields = Readonly<Record<string, string>>;

const list = (fields: Fields) => Object.entries(fields).map(([name, value]) => makeHeader(name, value));
const request = (fields: Fields): SipRequest => ({
  kind: 'request',
  method: 'INVITE',
  uri: 'sip:a@b',
  headers: list(fields),
  body: NO_BODY,
});
const response = (fields: Fields): SipResponse => ({
  kind: 'response',
  status: 200,
  reason: 'OK',
  headers: list(fields),
  body: NO_BODY,
});
const timer = { Supported: 'replaces, timer' };

test('a peer that knows timers refreshes, whether it names an interval or not', () => {
  const agreed = agreeAsServer(request({ ...timer, 'Session-Expires': '600' }), response({}), undefined);
  assert.deepEqual(agreed, { intervalS: 600, refresher: 'peer' });
  assert.deepEqual(
    timerHeaders(agreed ?? assert.fail()).map(({ value }) => value),
    ['600;refresher=uac', 'timer'],
  );
  assert.equal(agreeAsServer(request(timer), response({}), undefined)?.intervalS, 1800);
  assert.equal(
    agreeAsServer(request(timer), response({}), { intervalS: 300, refresher: 'peer' })?.intervalS,
    300,
  );
});

test('a peer that wants us to refresh gets its will', () => {
  const wish = request({ ...timer, 'Session-Expires': '1800;refresher=uas' });
  assert.deepEqual(agreeAsServer(wish, response({}), undefined), { intervalS: 1800, refresher: 'us' });
});

test('the application may shorten, not lengthen, and not below what the peer and the RFC allow', () => {
  const wish = request({ ...timer, 'Session-Expires': '600', 'Min-SE': '120' });
  const agreed = (value: string) =>
    agreeAsServer(wish, response({ 'Session-Expires': value }), undefined)?.intervalS;
  assert.equal(agreed('300'), 300);
  assert.equal(agreed('900'), 600);
  assert.equal(agreed('100'), 120);
});

test('no timer with a peer that knows none', () => {
  assert.equal(agreeAsServer(request({ 'Session-Expires': '600' }), response({}), undefined), undefined);
});

test('an interval below 90 s is too short', () => {
  assert.equal(isTooShort(request({ ...timer, 'Session-Expires': '89' })), true);
  assert.equal(isTooShort(request({ ...timer, 'Session-Expires': '90' })), false);
  assert.equal(isTooShort(request({ 'Session-Expires': '30' })), false);
});

test('as a caller we take what the 2xx says', () => {
  assert.deepEqual(agreeAsClient(response({ 'Session-Expires': '90;refresher=uas' })), {
    intervalS: 90,
    refresher: 'peer',
  });
  assert.equal(agreeAsClient(response({ 'Session-Expires': '90;refresher=uac' }))?.refresher, 'us');
  assert.equal(agreeAsClient(response({})), undefined);
});

test('we refresh at half time, and end a session a little before it would expire', () => {
  assert.equal(deadlineS({ intervalS: 90, refresher: 'us' }), 45);
  assert.equal(deadlineS({ intervalS: 90, refresher: 'peer' }), 60);
  assert.equal(deadlineS({ intervalS: 1800, refresher: 'peer' }), 1768);
});
