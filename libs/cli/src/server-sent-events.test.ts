import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { readServerSentEvents } from './server-sent-events.ts';
import type { ServerSentEvent } from './server-sent-events.ts';

const text =
  ': hello\n\nid: 7\nevent: session.started\ndata: {"a":\ndata: 1}\n\nretry: 5\r\n\r\ndata:é\r\n\r\ndata: cut off';

const read = async (chunks: Buffer[]): Promise<ServerSentEvent[]> => {
  const events: ServerSentEvent[] = [];
  for await (const event of readServerSentEvents(Readable.from(chunks))) events.push(event);

  return events;
};

const expected = [
  { type: 'session.started', data: '{"a":\n1}', id: '7' },
  { type: 'message', data: 'é', id: undefined },
];

test('events are cut at blank lines; comments and empty ones are left out, an unfinished one too', async () => {
  assert.deepEqual(await read([Buffer.from(text)]), expected);
});

test('it makes no difference where the bytes are cut', async () => {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at++) {
    assert.deepEqual(await read([bytes.subarray(0, at), bytes.subarray(at)]), expected, `cut at ${at}`);
  }
});
