import Type from 'typebox';
import { Count } from './primitives.ts';

const Ms = (description: string) => Type.Optional(Type.Number({ minimum: 0, description }));

/** How well a track's media came. */
export const MediaFigures = Type.Object({
  expected: Type.Integer({ ...Count, description: 'packets that were sent, as far as their numbers tell' }),
  missing: Type.Integer({ ...Count, description: 'of these, those that never came' }),
  lossPercent: Type.Number({ minimum: 0, maximum: 100 }),
  jitterMs: Ms('interarrival jitter (RFC 3550 A.8) at the end; absent where the clock rate is unknown'),
  jitterMaxMs: Ms('the highest that it was'),
  jitterMeanMs: Ms('its mean'),
  mos: Type.Optional(
    Type.Number({
      minimum: 1,
      maximum: 5,
      description: 'estimated mean opinion score (ITU-T G.107); absent for codecs without published values',
    }),
  ),
  duplicates: Count,
  reordered: Count,
  ssrcChanges: Count,
  rtcpPackets: Count,
  rtcpLate: Type.Integer({ ...Count, description: "RTCP that came after its sender's BYE" }),
  strays: Type.Optional(
    Type.Integer({ ...Count, description: 'packets from elsewhere than the media, which were not kept' }),
  ),
  undecryptable: Type.Optional(
    Type.Integer({
      ...Count,
      description: 'packets of an encrypted track that were not genuine, came twice, or had no key: not kept',
    }),
  ),
  overLifetime: Type.Optional(
    Type.Integer({
      ...Count,
      description: 'packets that came when the lifetime of their SRTP key had run out (RFC 3711 §9.2): kept',
    }),
  ),
  handshakesFailed: Type.Optional(
    Type.Integer({
      ...Count,
      description: 'DTLS handshakes that were broken off, by the peer, by strangers or by us',
    }),
  ),
  wrongCertificates: Type.Optional(
    Type.Integer({
      ...Count,
      description: 'of these, those for a certificate that the SDP names nowhere',
    }),
  ),
  handshakeJunk: Type.Optional(
    Type.Integer({ ...Count, description: 'DTLS datagrams that were part of no handshake' }),
  ),
  sourceChanges: Type.Optional(
    Type.Integer({ ...Count, description: 'times that the media went on from another address or port' }),
  ),
});
export type MediaFigures = Type.Static<typeof MediaFigures>;
