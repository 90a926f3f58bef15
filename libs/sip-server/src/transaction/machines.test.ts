import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientEvent } from './client-event.ts';
import { startClientInvite, stepClientInvite } from './client-invite.ts';
import { startClientOther, stepClientOther } from './client-other.ts';
import type { Action, Context, Step } from './machine.ts';
import { DEFAULT_TIMING } from './machine.ts';
import type { ServerEvent } from './server-event.ts';
import { startServerInvite, stepServerInvite } from './server-invite.ts';
import { startServerOther, stepServerOther } from './server-other.ts';

const udp: Context = { timing: DEFAULT_TIMING, reliable: false };
const tcp: Context = { timing: DEFAULT_TIMING, reliable: true };

function show(actions: readonly Action[]): string {
  return actions
    .map((action) => {
      if (action.do === 'start') return `${action.timer}=${action.ms}`;
      return action.do === 'stop' ? `-${action.timer}` : action.do;
    })
    .join(' ');
}

/** Feeds events and lists `phase: actions` after each. */
function play<Phase extends string, Event>(
  first: Step<Phase>,
  step: (state: Step<Phase>['state'], event: Event, context: Context) => Step<Phase>,
  context: Context,
  events: readonly Event[],
): string[] {
  let { state } = first;
  const lines = first.actions.length > 0 ? [`${state.phase}: ${show(first.actions)}`] : [];
  for (const event of events) {
    const next = step(state, event, context);
    state = next.state;
    lines.push(`${state.phase}: ${show(next.actions)}`.trimEnd());
  }
  return lines;
}

const response = (status: number): ClientEvent => ({ type: 'response', status });
const respond = (status: number): ServerEvent => ({ type: 'respond', status });
const timer = (name: 'A' | 'B' | 'D' | 'E' | 'F' | 'G' | 'H' | 'J' | 'K' | 'L' | 'M' | 'P') =>
  ({ type: 'timer', timer: name }) as const;
const repeated: ServerEvent = { type: 'repeated' };

const serverInvite = startServerInvite(udp);
const serverOther = startServerOther;

test('INVITE server: a failure is repeated from T1 to T2 until its ACK', () => {
  const events = [
    respond(100),
    repeated,
    respond(302),
    timer('G'),
    timer('G'),
    timer('G'),
    timer('G'),
    repeated,
  ];
  const end: ServerEvent[] = [{ type: 'ack' }, { type: 'ack' }];
  assert.deepEqual(play(serverInvite, stepServerInvite, udp, [...events, ...end]), [
    'silent: P=100',
    'proceeding: -P send',
    'proceeding: send',
    'completed: send H=32000 G=500',
    'completed: send G=1000',
    'completed: send G=2000',
    'completed: send G=4000',
    'completed: send G=4000',
    'completed: send',
    'terminated: -G -H',
    'terminated:',
  ]);
});

test('INVITE server: an answer within the first moment spares the 100; silence and a repeat bring it', () => {
  const quick = [respond(302), timer('P'), repeated];
  assert.deepEqual(play(serverInvite, stepServerInvite, udp, quick), [
    'silent: P=100',
    'completed: -P send H=32000 G=500',
    'completed:',
    'completed: send',
  ]);
  const slow = [timer('P'), repeated, respond(200)];
  assert.deepEqual(play(serverInvite, stepServerInvite, udp, slow), [
    'silent: P=100',
    'proceeding: trying',
    'proceeding: send',
    'accepted: send L=32000',
  ]);
  assert.deepEqual(play(serverInvite, stepServerInvite, tcp, [repeated, timer('P'), repeated]), [
    'silent: P=100',
    'proceeding: -P trying',
    'proceeding:',
    'proceeding: send',
  ]);
});

test('INVITE server over TCP: no repeats, and the ACK ends it', () => {
  const events: ServerEvent[] = [respond(486), { type: 'ack' }];
  assert.deepEqual(play(serverInvite, stepServerInvite, tcp, events), [
    'silent: P=100',
    'completed: -P send H=32000',
    'terminated: -G -H',
  ]);
});

test('INVITE server: an ACK that never comes is told', () => {
  const events = [respond(486), timer('H')];
  assert.equal(play(serverInvite, stepServerInvite, udp, events).at(-1), 'terminated: timeout');
});

test('INVITE server: after a 2xx repeats of the INVITE are absorbed for 64*T1, and the 2xx may be sent again', () => {
  const events = [respond(200), repeated, respond(200), respond(486), timer('L')];
  assert.deepEqual(play(serverInvite, stepServerInvite, udp, events), [
    'silent: P=100',
    'accepted: -P send L=32000',
    'accepted:',
    'accepted: send',
    'accepted:',
    'terminated:',
  ]);
});

test('other servers: silent before an answer, then the answer is repeated for 64*T1', () => {
  const events = [repeated, respond(100), repeated, respond(200), repeated, respond(500), timer('J')];
  assert.deepEqual(play(serverOther, stepServerOther, udp, events), [
    'trying:',
    'proceeding: send',
    'proceeding: send',
    'completed: send J=32000',
    'completed: send',
    'completed:',
    'terminated:',
  ]);
  assert.deepEqual(play(serverOther, stepServerOther, tcp, [respond(200)]), ['terminated: send']);
});

test('INVITE client: repeats double without bound until 64*T1', () => {
  const events = [timer('A'), timer('A'), timer('A'), timer('A'), timer('B')];
  assert.deepEqual(play(startClientInvite(udp), stepClientInvite, udp, events), [
    'calling: send B=32000 A=500',
    'calling: send A=1000',
    'calling: send A=2000',
    'calling: send A=4000',
    'calling: send A=8000',
    'terminated: timeout',
  ]);
});

test('INVITE client: a failure is acknowledged here, also when repeated', () => {
  const events = [response(180), response(486), response(486), response(200), timer('D')];
  assert.deepEqual(play(startClientInvite(udp), stepClientInvite, udp, events), [
    'calling: send B=32000 A=500',
    'proceeding: -A -B deliver',
    'completed: -A -B ack deliver D=32000',
    'completed: ack',
    'completed:',
    'terminated:',
  ]);
});

test('INVITE client: every 2xx is delivered for 64*T1', () => {
  const events = [response(200), response(200), response(180), response(486), timer('M')];
  assert.deepEqual(play(startClientInvite(tcp), stepClientInvite, tcp, events).slice(1), [
    'accepted: -A -B deliver M=32000',
    'accepted: deliver',
    'accepted:',
    'accepted:',
    'terminated:',
  ]);
});

test('other clients: repeats double up to T2, and come every T2 once something was heard', () => {
  const events = [
    timer('E'),
    timer('E'),
    timer('E'),
    timer('E'),
    response(100),
    timer('E'),
    response(200),
    timer('K'),
  ];
  assert.deepEqual(play(startClientOther(udp), stepClientOther, udp, events), [
    'trying: send F=32000 E=500',
    'trying: send E=1000',
    'trying: send E=2000',
    'trying: send E=4000',
    'trying: send E=4000',
    'proceeding: deliver',
    'proceeding: send E=4000',
    'completed: -E -F deliver K=5000',
    'terminated:',
  ]);
});

test('a transport that fails ends every unfinished transaction', () => {
  const failed = { type: 'failed' } as const;
  assert.equal(play(startClientInvite(udp), stepClientInvite, udp, [failed]).at(-1), 'terminated: timeout');
  assert.equal(play(startClientOther(udp), stepClientOther, udp, [failed]).at(-1), 'terminated: timeout');
  assert.equal(play(serverInvite, stepServerInvite, udp, [failed]).at(-1), 'terminated: timeout');
  assert.equal(play(serverOther, stepServerOther, udp, [failed]).at(-1), 'terminated: timeout');
});
