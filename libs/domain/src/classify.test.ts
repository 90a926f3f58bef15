import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classifyInvite } from './classify.ts';
import type { InviteFacts } from './classify.ts';

const facts = (changes: Partial<InviteFacts>): InviteFacts => ({
  require: [],
  contactParameters: [],
  contentTypes: ['application/sdp'],
  fromParameters: [],
  headers: [],
  ...changes,
});

test('any one mark of SIPREC is enough', () => {
  assert.equal(classifyInvite(facts({ require: ['siprec'] })), 'siprec');
  assert.equal(classifyInvite(facts({ contactParameters: ['+sip.src'] })), 'siprec');
  assert.equal(
    classifyInvite(facts({ contentTypes: ['application/sdp', 'application/rs-metadata'] })),
    'siprec',
  );
});

test('CUBE in SIPREC mode is SIPREC, though it sends a Cisco-Guid too', () => {
  assert.equal(classifyInvite(facts({ require: ['siprec'], headers: ['cisco-guid'] })), 'siprec');
});

test('built-in bridge, forked media and plain calls are told apart', () => {
  assert.equal(
    classifyInvite(facts({ fromParameters: ['x-farend', 'x-refci'], headers: ['cisco-guid'] })),
    'cucm',
  );
  assert.equal(classifyInvite(facts({ headers: ['x-cisco-recording-participant'] })), 'cube');
  assert.equal(classifyInvite(facts({})), 'direct');
});
