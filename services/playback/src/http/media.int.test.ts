import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { freshId } from '@reelstream/events';
import { recordingFolder } from '@reelstream/recording';
import { createLogger, createMeters, Secret, signPath } from '@reelstream/service';
import { decodeG711, encodeG711, parseWav, sampleConversation } from '@reelstream/testing/callers';
import { waitFor } from '@reelstream/testing';
import type { FastifyInstance } from 'fastify';
import { FileCache } from '../export/cache.ts';
import { Exports } from '../export/exports.ts';
import type { ExportOptions } from '../export/exports.ts';
import { Slots } from '../export/slots.ts';
import { firstDifference } from '../test-support/match.ts';
import { record, rtp, talk } from '../test-support/recording.ts';
import type { RecordedTrack, SentPacket } from '../test-support/recording.ts';
import { closeHttpServer, createHttpServer } from './server.ts';

const log = createLogger({ service: 'playback', nodeId: 'playback-1', level: 'silent' });

/** Exports of the same recordings, kept apart. */
const exportsOf = async (options: Partial<ExportOptions>): Promise<Exports> =>
  new Exports({
    recordingsDir: join(root, 'recordings'),
    cache: await FileCache.open({ folder: join(root, freshId()), maxBytes: 100_000_000 }),
    slots: new Slots(1, 8),
    log,
    ...options,
  });

const clusterKey = new Secret(randomBytes(32).toString('base64'));
const pcmu = [{ payloadType: 0, codec: 'PCMU', clockRate: 8_000 }];
const pcma = [{ payloadType: 8, codec: 'PCMA', clockRate: 8_000 }];
const { agent, customer } = sampleConversation();
const agentCodes = encodeG711('PCMU', agent);
const customerCodes = encodeG711('PCMA', customer);

let root = '';
let base = '';
let server: FastifyInstance;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'reel-playback-'));
  const cache = await FileCache.open({ folder: join(root, 'playback'), maxBytes: 100_000_000 });
  const exports = new Exports({
    recordingsDir: join(root, 'recordings'),
    cache,
    slots: new Slots(1, 8),
    log,
  });
  server = createHttpServer({
    exports,
    forgotten: new Set<string>(),
    clusterKey,
    log,
    meters: createMeters(),
  });
  await server.listen({ host: '127.0.0.1', port: 0 });
  base = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
});

after(async () => {
  await closeHttpServer(server);
  await rm(root, { recursive: true });
});

const signed = (path: string, expiresAtMs = Date.now() + 60_000): string =>
  `${base}${path}?${signPath(clusterKey, path, expiresAtMs)}`;

const wavOf = (sessionId: string): string => signed(`/media/${sessionId}/recording.wav`);

const bytesOf = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer());

const codeOf = async (response: Response): Promise<unknown> => {
  assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/);

  return ((await response.json()) as { code: unknown }).code;
};

/** The channels of a WAV file are exactly these: `deepEqual` takes minutes to tell apart what is so long. */
const assertChannels = (
  channels: readonly Int16Array[],
  expected: readonly (readonly [fromMs: number, samples: Int16Array])[],
): void => {
  const least = Math.max(...expected.map(([fromMs, samples]) => fromMs * 8 + samples.length));
  assert.deepEqual(
    channels.map(({ length }) => length),
    expected.map(() => least),
  );
  for (const [n, [fromMs, samples]] of expected.entries()) {
    const whole = new Int16Array(least);
    whole.set(samples, fromMs * 8);
    assert.equal(firstDifference(channels[n], whole), -1, `channel ${n + 1}`);
  }
};

const conversation = (customerFromMs: number): readonly RecordedTrack[] => [
  { codecs: pcmu, packets: talk(0, agentCodes, 1_000) },
  { codecs: pcma, packets: talk(8, customerCodes, customerFromMs) },
];

test('a recording is a WAV file with a channel for each track, of exactly the samples that were sent', async () => {
  const { sessionId } = await record(root, conversation(1_000));
  const response = await fetch(wavOf(sessionId));
  const { sampleRate, channels } = parseWav(await bytesOf(response));

  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'audio/wav');
  assert.equal(sampleRate, 8_000);
  assertChannels(channels, [
    [1_000, decodeG711('PCMU', agentCodes)],
    [1_000, decodeG711('PCMA', customerCodes)],
  ]);
});

test('the file begins with the session, and a track at its time: until then it is silent', async () => {
  const { sessionId } = await record(root, conversation(1_500));
  const { channels } = parseWav(await bytesOf(await fetch(wavOf(sessionId))));

  assertChannels(channels, [
    [1_000, decodeG711('PCMU', agentCodes)],
    [1_500, decodeG711('PCMA', customerCodes)],
  ]);
});

test('loss is silence, order is restored, repeats are ignored', async () => {
  const sent = talk(0, agentCodes, 0);
  const at = (n: number) => ({ ...(sent[n] ?? sent[0]!) });
  const mangled = [
    ...sent.slice(0, 100),
    at(101),
    at(100),
    ...sent.slice(103, 300),
    at(250),
    ...sent.slice(300),
  ];
  const packets = mangled.map(({ packet }, n) => ({ atMs: n * 20, packet }));
  const { sessionId } = await record(root, [{ codecs: pcmu, packets }]);
  const { channels } = parseWav(await bytesOf(await fetch(wavOf(sessionId))));
  const expected = decodeG711('PCMU', agentCodes);
  expected.fill(0, 102 * 160, 103 * 160);

  assertChannels(channels, [[0, expected]]);
});

test('a part is served for a range, with 206; what lies past the end is 416; an entity tag saves the rest', async () => {
  const { sessionId } = await record(root, conversation(1_000));
  const url = wavOf(sessionId);
  const whole = await fetch(url);
  const bytes = await bytesOf(whole);
  const etag = whole.headers.get('etag') ?? '';
  const get = (headers: Record<string, string>, method = 'GET') => fetch(url, { headers, method });

  const part = await get({ range: 'bytes=44-1043' });
  assert.equal(part.status, 206);
  assert.equal(part.headers.get('content-range'), `bytes 44-1043/${bytes.length}`);
  assert.deepEqual(await bytesOf(part), bytes.subarray(44, 1_044));
  assert.deepEqual(await bytesOf(await get({ range: 'bytes=-10' })), bytes.subarray(-10));

  const past = await get({ range: `bytes=${bytes.length}-` });
  assert.equal(past.status, 416);
  assert.equal(past.headers.get('content-range'), `bytes */${bytes.length}`);

  assert.equal((await get({ range: 'bytes=0-9', 'if-range': '"other"' })).status, 200);
  assert.equal((await get({ range: 'bytes=0-9', 'if-range': etag })).status, 206);
  assert.equal((await get({ 'if-none-match': etag })).status, 304);

  const head = await get({}, 'HEAD');
  assert.equal(head.headers.get('content-length'), String(bytes.length));
  assert.equal(head.headers.get('etag'), etag);
  assert.equal((await bytesOf(head)).length, 0);
});

test("a track's packets are served as they lie on disk", async () => {
  const { sessionId, folder, manifest } = await record(root, conversation(1_000));
  const response = await fetch(signed(`/media/${sessionId}/tracks/2.rtpdump`));
  const bytes = await bytesOf(response);
  const file = manifest.files.find(({ name }) => name === 'track-2.rtpdump');

  assert.deepEqual(bytes, await readFile(join(folder, 'track-2.rtpdump')));
  assert.equal(response.headers.get('etag'), `"${file?.sha256}"`);
  assert.equal(createHash('sha256').update(bytes).digest('hex'), file?.sha256);
  assert.equal((await fetch(signed(`/media/${sessionId}/tracks/0.rtpdump`))).status, 404);
});

test('a link opens one path, until it expires, and nothing opens without', async () => {
  const { sessionId } = await record(root, conversation(1_000));
  const path = `/media/${sessionId}/recording.wav`;
  const query = signPath(clusterKey, path, Date.now() + 60_000);

  assert.equal((await fetch(`${base}${path}?${query}`, { method: 'HEAD' })).status, 200);
  for (const url of [
    `${base}${path}`,
    `${base}/media/${sessionId}/tracks/1.rtpdump?${query}`,
    signed(path, Date.now() - 1),
    `${base}${path}?${query.slice(0, -1)}`,
    `${base}${path}?${query}&signature=x`,
  ]) {
    const response = await fetch(url);
    assert.equal(response.status, 403, url);
    assert.equal(await codeOf(response), 'LINK_INVALID');
  }
});

test('what is unknown is 404, what is not sealed yet 409', async () => {
  const unsealed = freshId();
  await mkdir(join(root, 'recordings', recordingFolder(unsealed)), { recursive: true });

  const missing = await fetch(wavOf(freshId()));
  assert.equal(missing.status, 404);
  assert.equal(await codeOf(missing), 'NOT_FOUND');
  const early = await fetch(wavOf(unsealed));
  assert.equal(early.status, 409);
  assert.equal(await codeOf(early), 'RECORDING_NOT_SEALED');
});

test('no path leads out of the recordings, however it is written and signed', async () => {
  for (const name of [
    '..',
    '..%2f..%2fetc',
    '%2e%2e%2f',
    'x'.repeat(60),
    '00000000-0000-4000-8000-000000000000',
  ]) {
    const response = await fetch(wavOf(name));
    assert.equal(response.status, 404, name);
  }
});

test('a track that can not be decoded is silent and named; if none can, the codec is told', async () => {
  const speex = [{ payloadType: 98, codec: 'speex', clockRate: 8_000 }];
  const opaque = {
    codecs: speex,
    packets: [{ atMs: 0, packet: rtp({ payloadType: 98, sequence: 1, timestamp: 1 }, Buffer.alloc(20)) }],
  };
  const half = await record(root, [
    opaque,
    { codecs: pcmu, packets: talk(0, agentCodes.subarray(0, 1_600), 0) },
  ]);
  const response = await fetch(wavOf(half.sessionId));
  const { channels } = parseWav(await bytesOf(response));

  assert.equal(response.headers.get('reel-silent-tracks'), '1=speex');
  assertChannels(channels, [
    [0, new Int16Array(0)],
    [0, decodeG711('PCMU', agentCodes.subarray(0, 1_600))],
  ]);

  const none = await record(root, [opaque]);
  const refused = await fetch(wavOf(none.sessionId));
  assert.equal(refused.status, 415);
  assert.match(await refused.clone().text(), /speex/);
  assert.equal(await codeOf(refused), 'CODEC_NOT_DECODABLE');
});

test('a session without a packet is an empty WAV file', async () => {
  const { sessionId } = await record(root, [{ codecs: pcmu, packets: [] }]);
  const response = await fetch(wavOf(sessionId));

  assert.equal(response.status, 200);
  assert.deepEqual(parseWav(await bytesOf(response)).channels, [new Int16Array(0)]);
});

test('many who ask at once get one export, and nothing is left of making it', async () => {
  const { sessionId } = await record(root, conversation(1_000));
  const responses = await Promise.all(
    Array.from({ length: 8 }, async () => bytesOf(await fetch(wavOf(sessionId)))),
  );

  assert.equal(new Set(responses.map((bytes) => createHash('sha256').update(bytes).digest('hex'))).size, 1);
  assert.deepEqual(await readdir(join(root, 'playback', 'work')), []);
});

test('who prefers an answer at once is told how far it is, and gets the file in the end', async () => {
  const long = new Uint8Array(8_000 * 1_200).fill(0x55);
  const { sessionId } = await record(root, [{ codecs: pcma, packets: talk(8, long, 0) }]);
  const url = signed(`/media/${sessionId}/recording.mp3`);
  const told: number[] = [];
  const ask = (): Promise<Response> => fetch(url, { headers: { prefer: 'respond-async' } });
  const made = await waitFor(
    async () => {
      const response = await ask();
      if (response.status === 200) return response;
      assert.equal(response.status, 202);
      assert.equal(response.headers.get('preference-applied'), 'respond-async');
      assert.match(response.headers.get('retry-after') ?? '', /^\d+$/);
      told.push(((await response.json()) as { progress: number }).progress);

      return undefined;
    },
    { deadlineMs: 60_000, describe: 'no MP3' },
  );

  assert.equal(made.headers.get('content-type'), 'audio/mpeg');
  assert.ok(told.length > 0);
  assert.deepEqual(
    told,
    told.toSorted((a, b) => a - b),
  );
  const part = await fetch(url, { headers: { range: 'bytes=0-2' } });
  assert.equal(part.status, 206);
});

test('keys that were pressed are listed with their times, and not heard', async () => {
  const tone = (n: number, event: number, at: number, end: number): SentPacket[] =>
    [1, 2, 3, 4].map((part) => {
      const payload = Buffer.from([event, part === 4 ? 0x8a : 0x0a, 0, 0]);
      payload.writeUInt16BE(part * 160, 2);

      return {
        atMs: 1_000 + at + part * 20,
        packet: rtp({ payloadType: 101, sequence: end + n, timestamp: 0xffff_f000 + at * 8 }, payload),
      };
    });
  const speech = talk(0, agentCodes.subarray(0, 8_000), 1_000);
  const packets = [...speech, ...tone(0, 5, 2_000, 100), ...tone(1, 11, 3_000, 100)].toSorted(
    (a, b) => a.atMs - b.atMs,
  );
  const codecs = [...pcmu, { payloadType: 101, codec: 'telephone-event', clockRate: 8_000 }];
  const { sessionId } = await record(root, [{ codecs, packets }]);
  const response = await fetch(signed(`/media/${sessionId}/tones.json`));

  assert.deepEqual(await response.json(), {
    items: [
      { trackNumber: 1, event: '5', offsetMs: 3_000, durationMs: 80 },
      { trackNumber: 1, event: '#', offsetMs: 4_000, durationMs: 80 },
    ],
  });
  const { channels } = parseWav(await bytesOf(await fetch(wavOf(sessionId))));
  assertChannels(channels, [[1_000, decodeG711('PCMU', agentCodes.subarray(0, 8_000))]]);

  const masked = await exportsOf({ tones: 'masked' });
  const list = await (await masked.tones(sessionId))?.file;
  const { items } = JSON.parse(await readFile(list?.path ?? '', 'utf8')) as { items: { event: string }[] };
  assert.deepEqual(
    items.map(({ event }) => event),
    ['masked', 'masked'],
  );
});

test('past those that wait an export is refused, to be asked for later', async () => {
  const long = new Uint8Array(8_000 * 600).fill(0x55);
  const [first, second] = await Promise.all(
    [1, 2].map(() => record(root, [{ codecs: pcma, packets: talk(8, long, 0) }])),
  );
  const busy = await exportsOf({ slots: new Slots(1, 0) });
  const making = await busy.recording(first!.sessionId, 'wav');
  const refused = await busy.recording(second!.sessionId, 'wav');

  await assert.rejects(refused!.file, { code: 'PLAYBACK_BUSY' });
  await making!.file;
  const again = await busy.recording(second!.sessionId, 'wav');
  assert.match((await again!.file).path, /\.wav$/);
});
