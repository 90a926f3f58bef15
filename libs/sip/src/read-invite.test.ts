import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { participantsByLabel } from './metadata-participants.ts';
import { readInvite } from './read-invite.ts';
import type { Invitation } from './read-invite.ts';
import { readRequest } from './request-info.ts';

const fixture = (name: string): string =>
  readFileSync(new URL(`../fixtures/siprec-offers/${name}.txt`, import.meta.url), 'utf8');

const invite = (body: string, ...headers: readonly string[]): Invitation => {
  const head = ['INVITE sip:9000@h SIP/2.0', 'From: <sip:src@h>;tag=1', 'To: <sip:9000@h>', ...headers];
  const source = { address: '192.0.2.1', port: 5060, transport: 'tcp' } as const;
  const arrival = { method: 'INVITE', requestUri: 'sip:9000@h', source, receivedOn: undefined };

  return readInvite(readRequest(`${head.join('\r\n')}\r\n\r\n${body}`, arrival));
};

const heard = ({ metadata }: Invitation): [string, (string | undefined)[]][] =>
  metadata
    ? [...participantsByLabel(metadata)].map(([label, list]) => [label, list.map(({ address }) => address)])
    : [];

test("Acme's offer: an old schema, bare line feeds, a blank behind the last boundary", () => {
  const offer = invite(
    fixture('acme-siprec-offer'),
    'Content-Type: multipart/mixed;boundary=unique-boundary-1',
  );
  assert.deepEqual(offer.problems, []);
  assert.deepEqual(
    offer.offer?.media.map(({ label }) => label),
    ['16777227', '16777228'],
  );
  assert.deepEqual(heard(offer), [
    ['16777227', ['sip:9000@192.168.50.102']],
    ['16777228', ['sip:1002@192.168.50.10']],
  ]);
});

test("Cisco's offer: a third part and no last boundary", () => {
  const offer = invite(
    fixture('cisco-siprec-offer'),
    'Content-Type: multipart/mixed;boundary=uniqueBoundary',
    'Contact: <sip:gw@10.0.0.1>;+sip.src',
    'Require: siprec',
    'Cisco-Guid: 1-2-3-4',
    `Session-ID: ${'a'.repeat(32)};remote=${'b'.repeat(32)}`,
  );
  assert.deepEqual(offer.problems, ['body: the last boundary is missing']);
  assert.deepEqual(heard(offer), [
    ['1', ['sip:7301@35.162.237.204']],
    ['2', ['sip:7300@35.162.237.204']],
  ]);
  assert.deepEqual(offer.marks.require, ['siprec']);
  assert.deepEqual(offer.marks.contactParameters, ['+sip.src']);
  assert.equal(offer.parts.length, 3);
  assert.equal(offer.ciscoGuid, '1-2-3-4');
  assert.equal(offer.sessionId?.remote, 'b'.repeat(32));
});

test("BroadWorks' offer: metadata of a wrong type that can't be read; the media can", () => {
  const offer = invite(
    fixture('broadworks-offer'),
    'Content-Type: multipart/mixed; boundary="UniqueBroadWorksBoundary"',
  );
  assert.equal(offer.offer?.media[0]?.codecs.length, 5);
  assert.ok(offer.marks.contentTypes.includes('application/rs-metadata+xml'));
  assert.ok(offer.problems.some((problem) => problem.startsWith('metadata: root element')));
});

test('inactive media: labels are known, nobody is heard on them', () => {
  const offer = invite(
    fixture('inactive-sdp-offer'),
    'Content-Type: multipart/mixed;boundary=uniqueBoundary',
  );
  assert.deepEqual(
    offer.offer?.media.map(({ direction }) => direction),
    ['inactive', 'inactive'],
  );
  assert.deepEqual(heard(offer), [
    ['1', []],
    ['2', []],
  ]);
});

test('a body that is no multipart at all is told by its looks', () => {
  const offer = invite(fixture('non-siprec-payload'), 'Content-Type: multipart/mixed;boundary=nowhere');
  assert.equal(offer.offer?.media[0]?.label, '1');
  assert.equal(offer.metadata, undefined);
});

test('a delayed offer has no description, and that is no problem', () => {
  const offer = invite('', 'Content-Length: 0');
  assert.equal(offer.offer, undefined);
  assert.deepEqual(offer.problems, []);
});
