import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { answerOffer, obstacleOf } from './sdp-answer.ts';
import { negotiatedParameters, protectionOf } from './sdp-protection.ts';
import type { SrtpPolicy } from './sdp-protection.ts';
import { parseSdp } from './sdp.ts';
import type { MediaLine } from './sdp.ts';

const key30 = 'WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz';
const key28 = Buffer.alloc(28, 7).toString('base64');
const policy: SrtpPolicy = {
  suites: [
    { name: 'AES_CM_128_HMAC_SHA1_80', masterLength: 30 },
    { name: 'AEAD_AES_128_GCM', masterLength: 28 },
  ],
  sdes: true,
  dtls: true,
  fallback: false,
};
const fingerprint = `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`;

const offered = (profile: string, ...lines: readonly string[]): MediaLine => {
  const [line] = parseSdp(['v=0', `m=audio 4000 ${profile} 0`, 'a=sendonly', ...lines].join('\r\n')).media;

  return line ?? assert.fail('no m-line');
};

const sdes = (tag: number, suite = 'AES_CM_128_HMAC_SHA1_80', key = key30, more = ''): string =>
  `a=crypto:${tag} ${suite} inline:${key}${more}`;

const chosen = (line: MediaLine, as: Partial<SrtpPolicy> = {}): string => {
  const found = protectionOf(line, { ...policy, ...as });
  switch (found.kind) {
    case 'sdes':
      return `sdes ${found.crypto.tag}`;
    case 'dtls':
      return `dtls ${found.setup}`;
    case 'refused':
      return found.reason;
    case 'none':
      return 'plain';
  }
};

describe('an offer with keys', () => {
  test('is answered by the first line that we can read, whatever its tag', () => {
    const line = offered(
      'RTP/SAVP',
      sdes(4, 'F8_128_HMAC_SHA1_80'),
      sdes(3, 'AEAD_AES_128_GCM', key28),
      sdes(1),
    );
    assert.equal(chosen(line), 'sdes 3');
  });

  test('is refused over a way that others can read, unless it was configured otherwise', () => {
    assert.equal(chosen(offered('RTP/SAVP', sdes(1)), { sdes: false }), 'sdes-without-tls');
    assert.equal(chosen(offered('RTP/SAVPF', sdes(1)), { sdes: true }), 'sdes 1');
  });

  test('is refused where a key has another length than its suite, or a parameter is not understood', () => {
    assert.equal(chosen(offered('RTP/SAVP', sdes(1, 'AEAD_AES_128_GCM', key30))), 'no-srtp-suite');
    for (const parameter of ['UNAUTHENTICATED_SRTP', 'KDR=1', 'FEC_ORDER=SRTP_FEC', 'NOVELTY'])
      assert.equal(
        chosen(offered('RTP/SAVP', sdes(1, undefined, undefined, ` ${parameter}`))),
        'no-srtp-suite',
      );
    for (const parameter of ['KDR=0', 'WSH=64', 'UNENCRYPTED_SRTCP', 'UNENCRYPTED_SRTP', '-NOVELTY'])
      assert.equal(chosen(offered('RTP/SAVP', sdes(1, undefined, undefined, ` ${parameter}`))), 'sdes 1');
    assert.equal(chosen(offered('RTP/SAVP')), 'no-srtp-suite');
  });

  test('beside a plain profile is taken where it may be, and passed over where not', () => {
    assert.equal(chosen(offered('RTP/AVP', sdes(1))), 'sdes 1');
    assert.equal(chosen(offered('RTP/AVP', sdes(1)), { sdes: false }), 'plain');
    assert.equal(chosen(offered('RTP/AVP', sdes(1, 'F8_128_HMAC_SHA1_80'))), 'plain');
    assert.equal(chosen(offered('RTP/AVP')), 'plain');
  });

  test('of a peer that can do without falls back to plain RTP', () => {
    const line = offered('RTP/SAVP', sdes(1));
    const as = { ...policy, sdes: false, fallback: true };
    assert.equal(chosen(line, as), 'plain');
    const answer = answerOffer(parseSdp(`v=0\r\nm=audio 4000 RTP/SAVP 0\r\n${sdes(1)}`), {
      address: '127.0.0.1',
      sessionId: '1',
      version: 1,
      ports: [5_000],
      playable: ['PCMU'],
      secured: [{ protection: protectionOf(line, as), attributes: [] }],
    });
    assert.match(answer.sdp, /m=audio 5000 RTP\/AVP 0\r\n/);
    assert.doesNotMatch(answer.sdp, /crypto/);
  });
});

describe('an offer of a handshake', () => {
  test('is answered actively where the peer can be called, else as is left to us', () => {
    const dtls = (...lines: readonly string[]) => offered('UDP/TLS/RTP/SAVPF', fingerprint, ...lines);
    assert.equal(chosen(dtls('a=setup:actpass')), 'dtls passive');
    assert.equal(chosen(dtls('a=setup:active')), 'dtls passive');
    assert.equal(chosen(dtls('a=setup:passive')), 'dtls active');
    assert.equal(chosen(dtls()), 'dtls passive');
    assert.equal(chosen(dtls('c=IN IP4 192.0.2.1', 'a=setup:actpass'), { peer: '192.0.2.1' }), 'dtls active');
    assert.equal(chosen(dtls('c=IN IP4 10.0.0.1', 'a=setup:actpass'), { peer: '192.0.2.1' }), 'dtls passive');
    assert.equal(chosen(dtls('c=IN IP4 192.0.2.1', 'a=setup:active'), { peer: '192.0.2.1' }), 'dtls passive');
    assert.equal(chosen(dtls('a=setup:holdconn')), 'dtls-unsupported');
    assert.equal(chosen(dtls('a=setup:actpass'), { dtls: false }), 'dtls-unsupported');
    assert.equal(chosen(offered('RTP/SAVPF', fingerprint, 'a=setup:actpass')), 'dtls passive');
  });

  test('is taken beside keys that can not be, and beside a plain profile', () => {
    const both = [sdes(1), fingerprint, 'a=setup:actpass'];
    assert.equal(chosen(offered('RTP/SAVP', ...both)), 'sdes 1');
    assert.equal(chosen(offered('RTP/SAVP', ...both), { sdes: false }), 'dtls passive');
    assert.equal(chosen(offered('RTP/SAVP', ...both), { sdes: false, dtls: false }), 'sdes-without-tls');
    assert.equal(chosen(offered('RTP/AVP', ...both), { sdes: false }), 'dtls passive');
    assert.equal(chosen(offered('RTP/AVP', fingerprint, 'a=setup:actpass')), 'dtls passive');
    assert.equal(chosen(offered('RTP/AVP', fingerprint, 'a=setup:actpass'), { dtls: false }), 'plain');
  });

  test('needs a fingerprint by a hash that is still trusted, and no encrypted way', () => {
    const sha1 = `a=fingerprint:sha-1 ${Array.from({ length: 20 }, () => 'AB').join(':')}`;
    assert.equal(chosen(offered('UDP/TLS/RTP/SAVP', sha1, 'a=setup:actpass')), 'no-srtp-key');
    assert.equal(chosen(offered('UDP/TLS/RTP/SAVP', fingerprint), { sdes: false }), 'dtls passive');
  });
});

test('the answer keeps the profile, echoes the tag, and says the parameters that both must say', () => {
  const text = `v=0\r\nm=audio 4000 RTP/SAVP 0\r\na=sendonly\r\n${sdes(5)} KDR=0 UNENCRYPTED_SRTCP\r\n`;
  const offer = parseSdp(text);
  const line = offer.media[0] ?? assert.fail('no m-line');
  const protection = protectionOf(line, policy);
  assert.ok(protection.kind === 'sdes');
  assert.deepEqual(negotiatedParameters(protection.crypto), ['UNENCRYPTED_SRTCP']);
  const answer = answerOffer(offer, {
    address: '127.0.0.1',
    sessionId: '1',
    version: 1,
    ports: [5_000],
    playable: ['PCMU'],
    secured: [{ protection, attributes: ['a=crypto:5 AES_CM_128_HMAC_SHA1_80 inline:ours'] }],
  });
  assert.match(
    answer.sdp,
    /m=audio 5000 RTP\/SAVP 0\r\n(a=.*\r\n)*a=crypto:5 AES_CM_128_HMAC_SHA1_80 inline:ours\r\n/,
  );
});

test('the reason why an encrypted line is refused is told', () => {
  const line = offered('RTP/SAVP', sdes(1));
  assert.equal(obstacleOf(line), 'encrypted');
  assert.equal(obstacleOf(line, { ...policy, sdes: false }), 'sdes-without-tls');
  assert.equal(obstacleOf(line, policy), undefined);
  const offer = parseSdp(`v=0\r\nm=audio 4000 RTP/SAVP 0\r\n${sdes(1)}`);
  const { media, sdp } = answerOffer(offer, {
    address: '127.0.0.1',
    sessionId: '1',
    version: 1,
    ports: [5_000],
    playable: [],
    secured: [{ protection: { kind: 'refused', reason: 'sdes-without-tls' }, attributes: [] }],
  });
  assert.equal(media[0]?.refusal, 'sdes-without-tls');
  assert.match(sdp, /m=audio 0 RTP\/SAVP 0/);
});
