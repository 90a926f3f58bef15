import assert from 'node:assert/strict';
import { test } from 'node:test';
import { channelsOf, sampleRateOf, undecodable } from './channels.ts';
import type { Channel, TrackSummary } from './channels.ts';

const track = (
  trackNumber: number,
  codecs: readonly (readonly [payloadType: number, codec: string])[],
  used: readonly number[] = codecs.map(([payloadType]) => payloadType),
): TrackSummary => ({
  trackNumber,
  mediaType: 'audio',
  codecs: codecs.map(([payloadType, codec]) => ({ payloadType, codec, clockRate: 8_000 })),
  spans: used.map((payloadType) => ({ payloadType })),
});

const decodersOf = ({ uses }: Channel): readonly string[] =>
  [...uses].map(([payloadType, use]) => {
    if (use.kind !== 'audio') return `${payloadType} ${use.kind}`;
    const { decoder } = use.codec;

    return `${payloadType} ${decoder.kind === 'ffmpeg' ? decoder.decoder : decoder.kind}`;
  });

test('each audio track is a channel, in order; video is none', () => {
  const channels = channelsOf([
    track(2, [[8, 'PCMA']]),
    { ...track(3, []), mediaType: 'video' },
    track(1, [[0, 'pcmu']]),
  ]);

  assert.deepEqual(
    channels.map((channel) => [channel.trackNumber, decodersOf(channel)]),
    [
      [1, ['0 PCMU']],
      [2, ['8 PCMA']],
    ],
  );
});

test('only payload types that were used count; tones and comfort noise are no codecs', () => {
  const [channel] = channelsOf([
    track(
      1,
      [
        [0, 'PCMU'],
        [18, 'X-OWN'],
        [101, 'telephone-event'],
        [13, 'CN'],
      ],
      [0, 101, 13],
    ),
  ]);

  assert.deepEqual(channel && decodersOf(channel), ['0 PCMU', '101 tones', '13 noise']);
  assert.deepEqual(channel?.silentCodecs, []);
});

test('a payload type that was never negotiated means what RFC 3551 says', () => {
  const [channel] = channelsOf([track(1, [], [8, 97])]);

  assert.deepEqual(channel && decodersOf(channel), ['8 PCMA']);
  assert.deepEqual(channel?.silentCodecs, ['payload type 97']);
});

test('a recording is undecodable when it has media and none can be heard', () => {
  assert.deepEqual(undecodable(channelsOf([track(1, [[18, 'X-OWN']]), track(2, [[18, 'X-OWN']])])), [
    'X-OWN',
  ]);
  assert.deepEqual(undecodable(channelsOf([track(1, [[18, 'X-OWN']]), track(2, [[0, 'PCMU']])])), []);
  assert.deepEqual(undecodable(channelsOf([track(1, [[0, 'PCMU']], [])])), []);
});

test('a recording keeps all of its best codec: the telephone stays at 8,000 Hz, wide-band raises them all', () => {
  const pcmu = track(1, [[0, 'PCMU']]);

  assert.equal(sampleRateOf(channelsOf([pcmu, track(2, [[18, 'G729']])])), 8_000);
  assert.equal(sampleRateOf(channelsOf([pcmu, track(2, [[9, 'G722']])])), 16_000);
  assert.equal(sampleRateOf(channelsOf([])), 8_000);
});
