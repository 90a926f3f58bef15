import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readInvite, readRequest } from '@reelstream/sip';
import type { Invitation } from '@reelstream/sip';
import { oddities, withFlags } from './flags.ts';

const fixture = (name: string): string =>
  readFileSync(new URL(`../../../../libs/sip/fixtures/siprec-offers/${name}.txt`, import.meta.url), 'utf8');

const invite = (contentType: string, body: string): Invitation => {
  const head = `INVITE sip:9@h SIP/2.0\r\nFrom: <sip:s@h>;tag=1\r\nContent-Type: ${contentType}\r\n\r\n`;
  const source = { address: '192.0.2.1', port: 5060, transport: 'tcp' } as const;

  return readInvite(
    readRequest(head + body, { method: 'INVITE', requestUri: 'sip:9@h', source, receivedOn: undefined }),
  );
};

const flagsOf = (invitation: Invitation, isSiprec = true): string =>
  oddities(invitation, {
    isSiprec,
    metadata: invitation.metadata,
    isGappy: false,
    lines:
      invitation.offer?.media.map(({ label, codecs }) => ({ label, codec: codecs[0]?.name ?? '' })) ?? [],
    refused: false,
  }).join(' ');

const mixed = 'multipart/mixed;boundary';

test('R7: what real clients send is told apart by what is odd about it', () => {
  const offers = {
    'acme-siprec-offer': [`${mixed}=unique-boundary-1`, 'old-namespace'],
    'cisco-siprec-offer': [`${mixed}=uniqueBoundary`, 'broken-body'],
    'inactive-sdp-offer': [`${mixed}="uniqueBoundary"`, ''],
    'broadworks-offer': [
      `${mixed}="UniqueBroadWorksBoundary"`,
      'broken-metadata old-namespace unknown-label wrong-content-type',
    ],
  };
  for (const [name, [type = '', flags]] of Object.entries(offers))
    assert.equal(flagsOf(invite(type, fixture(name))), flags, name);
});

test('R7: no metadata, no label, a multipart that is none, a wrong type', () => {
  const plain = fixture('non-siprec-payload');
  assert.equal(flagsOf(invite('application/sdp', plain)), 'no-metadata');
  assert.equal(flagsOf(invite('application/sdp', plain.replace('a=label:1', ''))), 'no-metadata no-label');
  assert.equal(flagsOf(invite('text/plain', plain)), 'no-metadata wrong-content-type');
  assert.equal(flagsOf(invite(`${mixed}=x`, plain)), 'no-metadata wrong-content-type broken-body');
});

test('of a call that needs neither metadata nor labels only the rest is odd', () => {
  const strange = fixture('non-siprec-payload').replaceAll('PCMU', 'SPEEX').replace('v=0', 'v=0\r\nm=?');
  assert.equal(flagsOf(invite('application/sdp', strange), false), 'broken-sdp unsupported-codec');
});

test('a flag once raised stays, and is raised once', () => {
  assert.deepEqual(withFlags(undefined, []), {});
  assert.deepEqual(withFlags(['no-label'], ['no-metadata', 'no-label']), {
    flags: ['no-label', 'no-metadata'],
  });
});
