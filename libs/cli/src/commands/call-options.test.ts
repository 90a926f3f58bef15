import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { CliError } from '../errors.ts';
import { legsOf, readCallRequest } from './call-options.ts';

const places = { sipUri: 'sip:127.0.0.1:5060', sipTlsUri: 'sip:127.0.0.1:5061;transport=tls' };

const isUsage = (text: RegExp) => (error: unknown) =>
  error instanceof CliError && error.exitCode === 2 && text.test(error.message);

test('without options the pilot is dialled over TCP', () => {
  assert.deepEqual(readCallRequest({}, [], places), {
    target: 'sip:record@127.0.0.1:5060',
    transport: 'tcp',
    srtp: undefined,
    durationMs: undefined,
    files: [],
  });
});

test('options are taken as they are meant', () => {
  const values = { to: '9000@10.0.0.1', transport: 'udp', seconds: '2.5', file: ['a.wav'] };

  assert.deepEqual(readCallRequest(values, ['b.wav'], places), {
    target: 'sip:9000@10.0.0.1',
    transport: 'udp',
    srtp: undefined,
    durationMs: 2_500,
    files: ['a.wav', 'b.wav'],
  });
});

test('an encrypted call goes over TLS, where the system takes it', () => {
  const { target, transport, srtp } = readCallRequest({ srtp: true }, [], places);
  assert.deepEqual(
    [target, transport, srtp],
    ['sip:record@127.0.0.1:5061;transport=tls', 'tls', 'AES_CM_128_HMAC_SHA1_80'],
  );
  assert.equal(readCallRequest({ tls: true }, [], places).srtp, undefined);
  assert.equal(
    readCallRequest({ srtp: true, transport: 'udp' }, [], places).target,
    'sip:record@127.0.0.1:5060',
  );
  assert.throws(() => readCallRequest({ tls: true }, [], { sipUri: 'sip:a' }), isUsage(/REEL_SIP_TLS_PORT/));
  assert.throws(() => readCallRequest({ tls: true, transport: 'udp' }, [], places), isUsage(/--tls/));
});

test('what makes no sense is refused, and the option is named', () => {
  assert.throws(() => readCallRequest({ seconds: '-1' }, [], places), isUsage(/--seconds/));
  assert.throws(() => readCallRequest({ seconds: 'soon' }, [], places), isUsage(/--seconds/));
  assert.throws(() => readCallRequest({ transport: 'sctp' }, [], places), isUsage(/--transport/));
  assert.throws(() => readCallRequest({ to: 'sip:a b' }, [], places), isUsage(/--to/));
  assert.throws(() => readCallRequest({}, ['a.wav'], places), isUsage(/--file/));
  assert.throws(() => readCallRequest({ file: ['a', 'b', 'c'] }, [], places), isUsage(/two files/));
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
