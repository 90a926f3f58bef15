import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKeyFrame } from './key-frames.ts';
import { PictureRequests } from './picture-requests.ts';

const key = (codec: string, ...bytes: number[]): boolean =>
  isKeyFrame(codec, Uint8Array.from([0xff, ...bytes, 0x65]), 1, 1 + bytes.length);

test('a picture of H.264 that stands alone is seen in a unit, an aggregate and a fragment', () => {
  assert.ok(key('H264', 0x65, 1) && key('h264', 0x67, 1) && !key('H264', 0x41, 1));
  assert.ok(key('H264', 0x78, 0, 2, 0x68, 1, 0, 2, 0x65, 1));
  assert.ok(!key('H264', 0x78, 0, 2, 0x68, 1, 0, 2, 0x41, 1));
  assert.ok(key('H264', 0x7c, 0x85, 1) && !key('H264', 0x7c, 0x05, 1) && !key('H264', 0x7c, 0x81));
  assert.ok(
    !key('H264') && !key('H264', 0x78, 0) && !key('H264', 0x78, 255, 255, 0x41) && !key('H264', 0x7c),
  );
});

test('a key frame of VP8 is seen behind every form of its descriptor', () => {
  assert.ok(key('VP8', 0x10, 0x00) && !key('VP8', 0x10, 0x01));
  assert.ok(key('VP8', 0x90, 0x80, 0x11, 0x00) && key('VP8', 0x90, 0x80, 0x81, 0x22, 0x00));
  assert.ok(
    key('VP8', 0x90, 0xe0, 0x11, 0x22, 0x33, 0x00) && !key('VP8', 0x90, 0xe0, 0x11, 0x22, 0x33, 0x01),
  );
  assert.ok(!key('VP8', 0x00, 0x00) && !key('VP8', 0x11, 0x00));
  assert.ok(!key('VP8') && !key('VP8', 0x90) && !key('VP8', 0x90, 0x80) && !key('VP8', 0x90, 0x80, 0x81));
  assert.ok(!key('G729', 0x65));
});

const video = (payloadType: number, ...payload: number[]): Buffer => {
  const bytes = Buffer.alloc(12 + payload.length);
  bytes.set([0x80, payloadType]);
  bytes.set(payload, 12);

  return bytes;
};
const codecs = new Map([
  [97, 'H264'],
  [34, 'H263'],
]);

/** Beats of 100 ms at which a request goes out. */
const asking = (requests: PictureRequests, beats: number): number[] => {
  const sent: number[] = [];
  for (let beat = 0; beat < beats; beat++) if (requests.due(beat * 1e8, 1, 2)) sent.push(beat);

  return sent;
};

test('a key frame is asked for until it comes, ever less often', () => {
  const requests = new PictureRequests();
  requests.terms = { pli: true, fir: true, codecs };
  requests.want();
  assert.deepEqual(asking(requests, 600), [0, 10, 30, 70, 150, 310, 470]);
  requests.look(video(97, 0x41));
  assert.ok(requests.isWanted);
  requests.look(video(97, 0x65));
  assert.ok(!requests.isWanted);
  assert.equal(requests.due(1e12, 1, 2), undefined);
});

test('losses ask at most once a second', () => {
  const requests = new PictureRequests();
  requests.terms = { pli: true, fir: false, codecs };
  const sent: number[] = [];
  for (let beat = 0; beat < 100; beat++) {
    requests.want();
    if (requests.due(beat * 1e8, 1, 2)) sent.push(beat);
    requests.look(video(97, 0x65));
  }
  assert.deepEqual(sent, [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
});

test('FIR counts requests but not their repeats; nothing is asked that was not agreed to', () => {
  const requests = new PictureRequests();
  requests.want();
  assert.equal(requests.due(0, 1, 2), undefined);
  requests.terms = { pli: false, fir: true, codecs };
  requests.want();
  const numbers = [0, 2e9].map((nowNs) => requests.due(nowNs, 1, 2)?.[16]);
  requests.look(video(97, 0x65));
  requests.want();
  numbers.push(requests.due(9e9, 1, 2)?.[16]);
  assert.deepEqual(numbers, [1, 1, 2]);
});

test('of a codec whose key frames nobody can tell, one request must do', () => {
  const requests = new PictureRequests();
  requests.terms = { pli: true, fir: false, codecs };
  requests.want();
  requests.look(video(34, 1));
  assert.ok(requests.due(0, 1, 2));
  requests.look(video(34, 1));
  assert.equal(requests.due(60e9, 1, 2), undefined);
});
