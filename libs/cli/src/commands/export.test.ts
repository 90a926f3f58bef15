import assert from 'node:assert/strict';
import { test } from 'node:test';
import { progressBar } from '../progress-bar.ts';
import { formatOf } from './export.ts';

test("the format is the one named, else that of the file's ending, else WAV", () => {
  assert.equal(formatOf(undefined, 'call.mp3'), 'mp3');
  assert.equal(formatOf(undefined, 'call.OGG'), 'opus');
  assert.equal(formatOf('mp4', 'call.mp3'), 'mp4');
  assert.equal(formatOf(undefined, '-'), 'wav');
  assert.throws(() => formatOf('flac', 'call.flac'), /wav, mp4, opus, mp3/);
});

test('a bar is as long as the part done', () => {
  assert.equal(progressBar(0), '[..............................] 0 %');
  assert.equal(progressBar(0.5), '[###############...............] 50 %');
  assert.equal(progressBar(7), '[##############################] 100 %');
});
