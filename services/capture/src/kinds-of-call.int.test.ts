import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { dtlsObstacle } from '@reelstream/rtp';
import { placeBibLeg, placeCubeCall, placeDirectCall, placeSiprecCall } from '@reelstream/testing/callers';
import type { CallLeg, DtlsCaller, PlacedCall, SrtpSuiteName } from '@reelstream/testing/callers';
import { Box } from './test-support/box.ts';
import { overTls } from './test-support/over-tls.ts';
import { DtlsPeer } from './test-support/dtls-peer.ts';
import { encryptionOf, kindsOfCall, legsOf, nameOf } from './test-support/kinds-of-call.ts';
import type { KindOfCall } from './test-support/kinds-of-call.ts';

const packetsPerLeg = 25;
let bridges = 0;

const handshakes = (peer: DtlsPeer, suite: SrtpSuiteName): DtlsCaller => ({
  suite,
  fingerprint: peer.fingerprint,
  call: (port) => peer.call(port, suite),
});

const place = (
  kind: KindOfCall,
  { box, peer }: { readonly box: Box; readonly peer: DtlsPeer },
  legs: readonly CallLeg[],
): Promise<PlacedCall> => {
  const { way, transport, suite } = kind;
  const srtp = suite === undefined || kind.dtls ? {} : { srtp: suite };
  const dtls = suite && kind.dtls ? { dtls: handshakes(peer, suite) } : {};
  const options = { target: box.uriOver(transport), ...srtp, ...dtls, legs, pace: 20 };
  switch (way) {
    case 'siprec':
      return placeSiprecCall(options);
    case 'cube':
      return placeCubeCall(options);
    case 'direct':
      return placeDirectCall(options);
    case 'bib': {
      bridges += 1;
      const bridge = {
        refCi: `${bridges}`,
        farEndRefCi: `9${bridges}`,
        nearEndDevice: `SEP${bridges}`,
        nearEndAddress: '1001',
        farEndDevice: 'SEP9',
        farEndAddress: '2002',
      };

      const [leg] = legs;
      assert.ok(leg);

      return placeBibLeg({ ...options, side: 'near', bridge, leg });
    }
  }
};

/** What a leg sends, packet for packet. */
const payloadsOf = ({ audio }: CallLeg): readonly Uint8Array[] => ('frames' in audio ? audio.frames : []);

/** Encoding name of what a leg sends. */
const codecNameOf = ({ codec }: CallLeg): string => (typeof codec === 'string' ? codec : codec.name);

describe('recorded as it was sent, packet for packet:', () => {
  let box: Box;
  let peer: DtlsPeer;
  before(async () => {
    peer = await DtlsPeer.open();
    const listen = (['udp', 'tcp', 'tls'] as const).map((protocol) => ({
      protocol,
      address: '127.0.0.1',
      port: 0,
    }));
    box = await Box.open({
      capacity: 20,
      settings: { REEL_PAIR_WAIT_MS: '100' },
      sip: { ...overTls, listen },
    });
  });
  after(async () => {
    await peer[Symbol.asyncDispose]();
    await box[Symbol.asyncDispose]();
  });

  for (const kind of kindsOfCall)
    test(nameOf(kind), { skip: kind.dtls && dtlsObstacle() }, async () => {
      const legs = legsOf(kind, packetsPerLeg);
      await using call = await place(kind, { box, peer }, legs);
      await call.mediaSent;
      await call.hangUp();
      const events = await box.sessionOf(call.callId);
      const ended = events.find((event) => event.type === 'session.ended');
      assert.ok(ended);
      assert.deepEqual(
        ended.data.tracks.map(({ codec, encryption, packets, lost }) => [codec, encryption, packets, lost]),
        legs.map((leg) => [codecNameOf(leg), encryptionOf(kind), packetsPerLeg, 0]),
      );
      assert.equal(ended.data.controller.type, kind.way === 'bib' ? 'cucm' : kind.way);
      assert.equal(ended.data.dialogs[0]?.transport, kind.transport);
      for (const [track, leg] of legs.entries()) {
        const packets = await box.packets(ended.subject, track);
        assert.equal(
          Buffer.concat(packets.map((packet) => packet.subarray(12))).compare(Buffer.concat(payloadsOf(leg))),
          0,
          `track ${track} holds what was sent`,
        );
      }
    });
});
