import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { glanceAtInvite, readInvite } from './read-invite.ts';
import { readRequest } from './request-info.ts';
import { readMediaLines } from './sdp-lines.ts';
import { parseSdp } from './sdp.ts';

const fixtures = new URL('../fixtures/siprec-offers/', import.meta.url);

test('a glance at an INVITE sees what reading it sees: marks, parts, and the streams that it asks for', () => {
  const files = readdirSync(fixtures).filter((name) => name.endsWith('.txt'));
  assert.ok(files.length > 3);
  for (const name of files) {
    const body = readFileSync(new URL(name, fixtures), 'utf8');
    const boundary = /^--(\S+)/m.exec(body)?.[1];
    const type = boundary === undefined ? 'application/sdp' : `multipart/mixed;boundary=${boundary}`;
    const text = `INVITE sip:9000@h SIP/2.0\r\nRequire: siprec\r\nContent-Type: ${type}\r\n\r\n${body}`;
    const source = { address: '192.0.2.1', port: 5060, transport: 'tcp' } as const;
    const info = readRequest(text, {
      method: 'INVITE',
      requestUri: 'sip:9000@h',
      source,
      receivedOn: undefined,
    });
    const [seen, read] = [glanceAtInvite(info), readInvite(info)];
    assert.deepEqual(seen.marks, read.marks, name);
    assert.deepEqual(seen.parts, read.parts, name);
    assert.deepEqual(
      seen.offer?.media,
      read.offer?.media.map(({ kind, port }) => ({ kind, port })),
      name,
    );
  }
});

test('m-lines alone are read as with the rest of their SDP, whatever is wrong with them', () => {
  const many = Array.from({ length: 40 }, (_, index) => `m=audio ${4_000 + index} RTP/AVP 0`).join('\n');
  const texts = [
    'v=0\r\nm=audio 4000 RTP/AVP 0\r\nm=video 0 RTP/AVP 96\r\n',
    'v=0\nm=audio 4000/2 RTP/AVP 0 8\na=m=audio\nm=text 9 TCP/X *\n',
    'v=0\rm=audio 70000 RTP/AVP 0\rm=\r',
    '\r\nv=0\r\ns=m=audio 1 RTP/AVP 0\r\n',
    `v=0\n${many}\n`,
    'm=audio 1 RTP/AVP 0',
    '',
  ];
  for (const text of texts) {
    const { media, problems } = parseSdp(text);
    const lines = readMediaLines(text);
    assert.deepEqual(
      lines.media,
      media.map(({ kind, port }) => ({ kind, port })),
      text,
    );
    assert.deepEqual(lines.problems, problems, text);
  }
});
