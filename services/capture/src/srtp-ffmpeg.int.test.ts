import assert from 'node:assert/strict';
import { test } from 'node:test';
import { debianPackages, runCommand } from '@reelstream/testing';
import { Caller, decodeG711 } from '@reelstream/testing/callers';
import type { SrtpSuiteName } from '@reelstream/testing/callers';
import { Box } from './test-support/box.ts';
import { plain, portsOf } from './test-support/offers.ts';
import { cryptoLine, last, masterOf, offerOf } from './test-support/srtp.ts';

const hertz = 500;

/** How much of the samples is the tone, 0 to 1. */
const toneShare = (samples: Int16Array): number => {
  let [real, imaginary, energy] = [0, 0, 0];
  for (const [i, sample] of samples.entries()) {
    real += sample * Math.cos((2 * Math.PI * hertz * i) / 8_000);
    imaginary += sample * Math.sin((2 * Math.PI * hertz * i) / 8_000);
    energy += sample * sample;
  }

  return (2 * (real * real + imaginary * imaginary)) / (samples.length * energy);
};

/** By ffmpeg's name: under RFC 4568's it gives RTCP the short tag, too, and not the 80 bits of §6.2. */
const suites = [
  ['AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_80'],
  ['AES_CM_128_HMAC_SHA1_32', 'SRTP_AES128_CM_HMAC_SHA1_32'],
] as const satisfies readonly (readonly [SrtpSuiteName, string])[];

for (const [suite, theirs] of suites)
  test(`what Debian's ffmpeg sends under ${suite} is decrypted, its RTCP too: the tone is there, and nothing is missing`, async () => {
    await using box = await Box.open({ settings: { REEL_SDES_WITHOUT_TLS: 'yes' } });
    using caller = await Caller.open(box.target);
    const master = masterOf(suite);
    const answer = await caller.invite(plain(offerOf('RTP/SAVP', cryptoLine(suite, master))));
    assert.equal(answer.status, 200);
    caller.ack();
    const [port] = portsOf(answer.body);
    const ffmpeg = await debianPackages('ffmpeg');
    const tone = `sine=frequency=${hertz}:sample_rate=8000:duration=3`;
    const keys = [
      ['-srtp_out_suite', theirs],
      ['-srtp_out_params', Buffer.concat([master.key, master.salt]).toString('base64')],
    ].flat();
    await runCommand(
      ffmpeg.command('ffmpeg', [
        ...`-nostdin -loglevel error -re -f lavfi -i ${tone}`.split(' '),
        ...`-ac 1 -ar 8000 -c:a pcm_mulaw -f rtp`.split(' '),
        ...keys,
        `srtp://127.0.0.1:${port}`,
      ]),
    );
    await caller.bye();
    const { subject, data } = last(await box.sessionOf(caller.callId), 'session.ended');
    const { figures, encryption, lost } = data.tracks[0] ?? {};
    assert.deepEqual([encryption, lost, figures?.undecryptable], [`sdes:${suite}`, 0, 0]);
    assert.ok((figures?.rtcpPackets ?? 0) > 0, 'sender reports were decrypted');
    const packets = await box.packets(subject, 0);
    const samples = decodeG711('PCMU', Buffer.concat(packets.map((packet) => packet.subarray(12))));
    assert.ok(samples.length >= 3 * 8_000 - 1_600, `${samples.length} samples`);
    assert.ok(
      toneShare(samples.subarray(0, 16_000)) > 0.99,
      `share ${toneShare(samples.subarray(0, 16_000))}`,
    );
    assert.ok((await box.manifest(subject)).tracks[0]?.senderReports?.length);
  });
