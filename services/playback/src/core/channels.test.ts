import assert from 'node:assert/strict';
import { test } from 'node:test';
import { channelsOf, undecodable } from './channels.ts';
import type { TrackSummary } from './channels.ts';

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

test('each audio track is a channel, in order; video is none', () => {
  const channels = channelsOf([
    track(2, [[8, 'PCMA']]),
    { ...track(3, []), mediaType: 'video' },
    track(1, [[0, 'pcmu']]),
  ]);

  assert.deepEqual(
    channels.map(({ trackNumber, decoders }) => [trackNumber, ...decoders.values()]),
    [
      [1, 'PCMU'],
      [2, 'PCMA'],
    ],
  );
});

test('only payload types that were used count; tones and comfort noise are no sound', () => {
  const [channel] = channelsOf([
    track(
      1,
      [
        [0, 'PCMU'],
        [18, 'G729'],
        [101, 'telephone-event'],
        [13, 'CN'],
      ],
      [0, 101, 13],
    ),
  ]);

  assert.deepEqual([...(channel?.decoders ?? [])], [[0, 'PCMU']]);
  assert.deepEqual(channel?.silentCodecs, []);
});

test('a payload type that was never negotiated means what RFC 3551 says', () => {
  const [channel] = channelsOf([track(1, [], [8, 97])]);

  assert.deepEqual([...(channel?.decoders ?? [])], [[8, 'PCMA']]);
  assert.deepEqual(channel?.silentCodecs, ['payload type 97']);
});

test('a recording is undecodable when it has media and none can be heard', () => {
  assert.deepEqual(undecodable(channelsOf([track(1, [[18, 'G729']]), track(2, [[18, 'G729']])])), ['G729']);
  assert.deepEqual(undecodable(channelsOf([track(1, [[18, 'G729']]), track(2, [[0, 'PCMU']])])), []);
  assert.deepEqual(undecodable(channelsOf([track(1, [[0, 'PCMU']], [])])), []);
});
