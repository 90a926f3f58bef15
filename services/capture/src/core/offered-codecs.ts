import type { Codec } from '@reelstream/sip';

const audio = (payloadType: number, name: string, clockRate = 8_000, parameters?: string): Codec => ({
  payloadType,
  name,
  clockRate,
  channels: name === 'opus' ? 2 : 1,
  parameters,
});

/**
 * What we offer where the peer leaves the offer to us; one of these is what its call uses already. Each with the
 * parameters that let an answer choose either way: G.729 with or without annex B (RFC 4856), iLBC of 20 or 30 ms
 * (RFC 3952: an offer of 20 may be answered by 30), AMR in both packings (RFC 4867 §8.3), AAC-LD as Cisco's endpoints
 * describe it.
 */
export const offeredAudio: readonly Codec[] = [
  audio(0, 'PCMU'),
  audio(8, 'PCMA'),
  audio(9, 'G722'),
  // RFC 7587 §7: always 48000/2, whatever is sent.
  audio(114, 'opus', 48_000, 'useinbandfec=1;stereo=1'),
  audio(18, 'G729', 8_000, 'annexb=yes'),
  audio(116, 'iLBC', 8_000, 'mode=20'),
  audio(108, 'MP4A-LATM', 90_000, 'profile-level-id=24;object=23;bitrate=64000'),
  audio(107, 'L16', 16_000),
  audio(106, 'L16', 8_000),
  audio(112, 'AMR-WB', 16_000, 'octet-align=1'),
  audio(113, 'AMR-WB', 16_000, 'octet-align=0'),
  audio(110, 'AMR', 8_000, 'octet-align=1'),
  audio(111, 'AMR', 8_000, 'octet-align=0'),
  audio(101, 'telephone-event', 8_000, '0-16'),
];

/** Constrained baseline at level 3.1, which every sender has; a stream of a higher one is recorded all the same. */
const baseline = 'profile-level-id=42E01F;level-asymmetry-allowed=1';

export const offeredVideo: readonly Codec[] = [
  {
    payloadType: 97,
    name: 'H264',
    clockRate: 90_000,
    channels: 1,
    parameters: `${baseline};packetization-mode=1`,
  },
  {
    payloadType: 126,
    name: 'H264',
    clockRate: 90_000,
    channels: 1,
    parameters: `${baseline};packetization-mode=0`,
  },
  { payloadType: 98, name: 'VP8', clockRate: 90_000, channels: 1, parameters: undefined },
];
