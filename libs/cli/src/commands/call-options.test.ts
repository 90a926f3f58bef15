import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { CliError } from '../errors.ts';
import { legsOf, readCallRequest } from './call-options.ts';

const sipUri = 'sip:127.0.0.1:5060';

const isUsage = (text: RegExp) => (error: unknown) =>
  error instanceof CliError && error.exitCode === 2 && text.test(error.message);

test('without options the pilot is dialled over TCP', () => {
  assert.deepEqual(readCallRequest({}, [], sipUri), {
    target: 'sip:record@127.0.0.1:5060',
    transport: 'tcp',
    durationMs: undefined,
    files: [],
  });
});

test('options are taken as they are meant', () => {
  const values = { to: '9000@10.0.0.1', transport: 'udp', seconds: '2.5', file: ['a.wav'] };

  assert.deepEqual(readCallRequest(values, ['b.wav'], sipUri), {
    target: 'sip:9000@10.0.0.1',
    transport: 'udp',
    durationMs: 2_500,
    files: ['a.wav', 'b.wav'],
  });
});

test('what makes no sense is refused, and the option is named', () => {
  assert.throws(() => readCallRequest({ seconds: '-1' }, [], sipUri), isUsage(/--seconds/));
  assert.throws(() => readCallRequest({ seconds: 'soon' }, [], sipUri), isUsage(/--seconds/));
  assert.throws(() => readCallRequest({ transport: 'tls' }, [], sipUri), isUsage(/--transport/));
  assert.throws(() => readCallRequest({ to: 'sip:a b' }, [], sipUri), isUsage(/--to/));
  assert.throws(() => readCallRequest({}, ['a.wav'], sipUri), isUsage(/--file/));
  assert.throws(() => readCallRequest({ file: ['a', 'b', 'c'] }, [], sipUri), isUsage(/two files/));
});

test('the built-in sample has two equally long voices', async () => {
  const legs = await legsOf([]);
  const lengths = legs.map(({ audio }) => ('samples' in audio ? audio.samples.length : 0));

  assert.deepEqual(
    legs.map(({ codec }) => codec),
    ['PCMU', 'PCMA'],
  );
  assert.equal(lengths[0], lengths[1]);
});

test('a file that is missing, or no WAV file, is told', async () => {
  await assert.rejects(legsOf(['/nowhere.wav']), isUsage(/no file/));
  await assert.rejects(legsOf([fileURLToPath(import.meta.url)]), isUsage(/RIFF/));
});
