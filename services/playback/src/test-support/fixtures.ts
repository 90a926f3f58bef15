import { readFileSync } from 'node:fs';
import type { Codec } from '@reelstream/recording';
import { sampleConversation } from '@reelstream/testing/callers';
import type { SentPacket } from './recording.ts';

/** What the agent of the sample conversation says first, 8 kHz: all fixtures were encoded from it. */
export const speech = (): Int16Array => sampleConversation().agent.slice(1_920, 24_640);

const isRtcp = (packet: Uint8Array): boolean => packet[1]! >= 192 && packet[1]! <= 223;

/** RTP packets of a fixture (`fixtures/README.md`), in order. */
export const fixturePackets = (name: string): readonly Buffer[] => {
  const bytes = readFileSync(new URL(`../../fixtures/${name}.rtp`, import.meta.url));
  const packets: Buffer[] = [];
  for (let at = 0; at + 2 <= bytes.length;) {
    const length = bytes.readUInt16BE(at);
    packets.push(bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }

  return packets.filter((packet) => !isRtcp(packet));
};

/** The packets of a fixture sent in real time from `fromMs` on. */
export const sendFixture = (name: string, clockRate: number, fromMs: number): SentPacket[] => {
  const packets = fixturePackets(name);
  const first = packets[0]!.readUInt32BE(4);

  return packets.map((packet) => ({
    atMs: fromMs + (((packet.readUInt32BE(4) - first) >>> 0) / clockRate) * 1_000,
    packet,
  }));
};

/** Fixtures of audio, with what the SDP said of them. */
export const audioFixtures: Readonly<Record<string, Codec>> = {
  g722: { payloadType: 9, codec: 'G722', clockRate: 8_000 },
  g729: { payloadType: 18, codec: 'G729', clockRate: 8_000 },
  g729b: { payloadType: 18, codec: 'G729', clockRate: 8_000, fmtp: 'annexb=yes' },
  opus: { payloadType: 97, codec: 'opus', clockRate: 48_000, channels: 2 },
  'amr-nb': { payloadType: 97, codec: 'AMR', clockRate: 8_000, fmtp: 'octet-align=1' },
  'amr-wb': { payloadType: 97, codec: 'AMR-WB', clockRate: 16_000, fmtp: 'octet-align=1' },
  l16: { payloadType: 97, codec: 'L16', clockRate: 16_000 },
  'ilbc-20': { payloadType: 97, codec: 'iLBC', clockRate: 8_000, fmtp: 'mode=20' },
  'ilbc-30': { payloadType: 97, codec: 'iLBC', clockRate: 8_000 },
  'aac-latm': {
    payloadType: 97,
    codec: 'MP4A-LATM',
    clockRate: 16_000,
    fmtp: 'profile-level-id=40;cpresent=0;config=400028103fc0',
  },
  'aac-generic': {
    payloadType: 97,
    codec: 'mpeg4-generic',
    clockRate: 16_000,
    fmtp: 'profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3; config=140856E500',
  },
  'aac-ld-latm': {
    payloadType: 97,
    codec: 'MP4A-LATM',
    clockRate: 90_000,
    fmtp: 'profile-level-id=24;object=23;cpresent=0;config=4001731200ff00',
  },
  'aac-ld-latm-inband': {
    payloadType: 97,
    codec: 'MP4A-LATM',
    clockRate: 90_000,
    fmtp: 'profile-level-id=24;object=23;bitrate=64000',
  },
};
