import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { answerOffer } from './sdp-answer.ts';
import { parseNameAddr } from './name-addr.ts';
import { participantsByLabel } from './metadata-participants.ts';
import { readInvite } from './read-invite.ts';
import { readRequest } from './request-info.ts';

const folder = new URL('../fixtures/siprec-offers/', import.meta.url);
const rounds = 400;

/** A linear congruential generator (Numerical Recipes): the same damage in every run. */
const seeded = (seed: number): ((below: number) => number) => {
  let state = seed;

  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;

    return Math.floor((state / 0x1_0000_0000) * below);
  };
};

const damage = (bytes: Buffer, random: (below: number) => number): Buffer => {
  const copy = Buffer.from(bytes);
  for (let flips = random(12); flips >= 0; flips -= 1) {
    const at = random(copy.length);
    copy[at] = (copy[at] ?? 0) ^ (1 << random(8));
  }

  return random(3) === 0 ? copy.subarray(0, random(copy.length)) : copy;
};

const wholeRequest = (body: Buffer): Buffer => {
  const boundary = /--(\S+)/.exec(body.toString())?.[1] ?? 'none';
  const head = `INVITE sip:9000@h SIP/2.0
From: "A" <sip:src@h;x-nearend;x-refci=1;x-nearenddevice=SEP1>;tag=1
To: <sip:9000@h>
Contact: <sip:a@h;transport=tcp>;+sip.src
X-Cisco-Recording-Participant: sip:1@h;media-index="0 2"
Session-ID: ${'a'.repeat(32)};remote=${'0'.repeat(32)}
Content-Type: multipart/mixed;boundary="${boundary}"

`.replaceAll('\n', '\r\n');

  return Buffer.concat([Buffer.from(head), body]);
};

for (const name of readdirSync(folder))
  test(`${name}, cut and flipped ${rounds} times, is read without a throw`, () => {
    const random = seeded(name.length);
    const request = wholeRequest(readFileSync(new URL(name, folder)));
    const source = { address: '192.0.2.1', port: 5060, transport: 'udp' } as const;
    for (let round = 0; round < rounds; round += 1) {
      const text = damage(request, random).toString();
      const info = readRequest(text, {
        method: 'INVITE',
        requestUri: 'sip:9000@h',
        source,
        receivedOn: undefined,
      });
      const { offer, metadata } = readInvite(info);
      if (metadata) participantsByLabel(metadata);
      if (!offer) continue;
      const answer = answerOffer(offer, {
        address: '192.0.2.2',
        sessionId: '1',
        version: 1,
        ports: offer.media.map(({ index }) => 4000 + 2 * index),
        playable: ['PCMU'],
      });
      assert.equal(answer.media.length, offer.media.length);
      assert.equal(answer.sdp.split('\r\nm=').length - 1, offer.media.length);
      assert.equal(typeof parseNameAddr(text).host, 'string');
    }
  });
