import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ourParameters } from './sdp-parameters.ts';

const describe = (name: string, parameters: string | undefined): string | undefined =>
  ourParameters({ payloadType: 96, name, clockRate: 8_000, channels: 1, parameters });

test('of H.264 the profile and mode go back, and nothing that speaks of the stream or its receiver', () => {
  assert.equal(
    describe(
      'H264',
      'profile-level-id=42801F; packetization-mode=1;max-mbps=108000;sprop-parameter-sets=Z0IACpZTBYmI,aMljiA==;max-fs=3600',
    ),
    'profile-level-id=42801F;packetization-mode=1',
  );
  assert.equal(describe('h264', 'level-asymmetry-allowed=1'), 'level-asymmetry-allowed=1');
  assert.equal(describe('H264', 'max-br=960'), undefined);
});

test('what configures a payload type goes back as it came', () => {
  for (const [name, parameters] of [
    ['G729', 'annexb=no'],
    ['AMR', 'octet-align=1; mode-set=0,2,4,7; mode-change-period=2'],
    ['AMR-WB', 'octet-align=0'],
    ['iLBC', 'mode=20'],
    ['MP4A-LATM', 'profile-level-id=24;object=23;bitrate=64000;config=40002410'],
    ['telephone-event', '0-15'],
    ['something-new', 'a=b; c'],
  ] as const) {
    assert.equal(describe(name, parameters), parameters);
  }
});

test('of Opus we ask for what may come, not for what the peer would like to get', () => {
  assert.equal(describe('opus', 'stereo=1;maxplaybackrate=16000;usedtx=1'), undefined);
  assert.equal(describe('opus', 'sprop-stereo=1; useinbandfec=1;cbr=1'), 'useinbandfec=1;stereo=1');
});

test('limits of a receiver of VP8 and properties of a stream stay with who said them', () => {
  assert.equal(describe('VP8', 'max-fr=30; max-fs=3600'), undefined);
  assert.equal(describe('H265', 'profile-id=1;sprop-vps=QAE'), 'profile-id=1');
  assert.equal(describe('PCMU', undefined), undefined);
});
