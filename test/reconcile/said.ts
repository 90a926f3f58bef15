import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { catalogue, freshId, isEventType, understand } from '@reelstream/events';
import type { RawEvent } from '@reelstream/events';
import { waitFor } from '@reelstream/testing';
import type { Archive } from '../support/archive.ts';

const fixtures = new URL('../../libs/events/fixtures/', import.meta.url);

/** A node and a server that are none of the archive's. */
const strangers = { node: 'capture-9', server: 'secondary' };

/** In this order what is said of the node leaves it lost: nobody looks for it. */
const orderOf = ({ type }: RawEvent): number =>
  ['node.started', 'rule.created', 'subscription.created', 'tag.added'].indexOf(type) === -1 ? 1 : 0;

/** One event of each type that no home writes, of strangers. */
const examples = async (): Promise<readonly RawEvent[]> => {
  const texts = await Promise.all(
    (await readdir(fixtures)).map((name) => readFile(new URL(name, fixtures), 'utf8')),
  );
  const events = texts.flatMap((text): RawEvent[] => {
    const stranger = text.replaceAll('"capture-1"', `"${strangers.node}"`);
    const event = JSON.parse(stranger) as RawEvent;
    if (!isEventType(event.type)) return [];
    const { family, schema } = catalogue[event.type];
    if (family === 'session' || family === 'recording' || schema !== event.schema) return [];
    const said = { ...event, id: freshId(), origin: strangers.server };

    return event.type === 'position.rewound'
      ? [
          {
            ...said,
            subject: strangers.server,
            data: { ...(event.data as object), server: strangers.server },
          },
        ]
      : [said];
  });

  return events.toSorted((a, b) => orderOf(a) - orderOf(b));
};

/** Of families that have no types yet: what a later release might say. */
const unknown = (family: string): RawEvent => ({
  specversion: '1.0',
  id: freshId(),
  type: `${family}.noted`,
  source: '/local/metadata-1',
  subject: freshId(),
  time: new Date().toISOString(),
  origin: 'primary',
  version: 1,
  epoch: 1,
  schema: 1,
  data: { noted: true },
});

const ask = async (archive: Archive, method: string, path: string, body: unknown): Promise<unknown> => {
  const response = await archive.api(path, { method, body });
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${await response.clone().text()}`);

  return response.status === 204 ? undefined : response.json();
};

/**
 * Users and nodes say something of every kind: rules, controllers, a drained node, subscriptions, tags of these sessions; and one more event
 * of each type and of each family. Resolves when the database has it all.
 */
export const sayOfEveryKind = async (archive: Archive, sessionIds: readonly string[]): Promise<void> => {
  const url = 'http://127.0.0.1:9/hook';
  const { id: ruleId } = (await ask(archive, 'POST', '/rules', {
    match: { kind: 'exact', user: '7301' },
    action: { kind: 'record', media: 'audio' },
  })) as { readonly id: string };
  await ask(archive, 'PUT', `/rules/${ruleId}`, { action: { kind: 'reject' } });
  await ask(archive, 'POST', '/controllers', {
    network: '192.0.2.0/24',
    profile: { followsRedirect: false },
  });
  await ask(archive, 'POST', '/subscriptions', { url, types: ['tag.added'] });
  await ask(archive, 'POST', '/nodes/capture-1/drain', {});
  await ask(archive, 'POST', '/nodes/capture-1/undrain', {});
  for (const sessionId of sessionIds) {
    await ask(archive, 'POST', `/sessions/${sessionId}/tags`, { name: 'Complaint' });
    await ask(archive, 'POST', `/sessions/${sessionId}/tags`, { name: 'legal-hold' });
  }
  for (const event of await examples()) {
    const understood = understand(event);
    assert.equal(understood.status, 'known');
    if (understood.status === 'known') await archive.bus.events.appendShared(understood.event);
  }
  for (const family of ['closing', 'media']) {
    const event = unknown(family);
    archive.bus.publish(`ev.${family}.${event.subject}`, event);
  }
  await waitFor(
    async () => {
      const info = await archive.bus.events.info();
      const last = await archive.bus.events.at(info.lastSequence);

      return last?.raw.type === 'media.noted' || undefined;
    },
    { deadlineMs: 10_000, describe: 'the last event in the stream' },
  );
  await allRead(archive);
};

/** Resolves when the database has read the stream to its end. */
export const allRead = async ({ bus, store }: Archive): Promise<void> => {
  const { lastSequence } = await bus.events.info();
  await waitFor(
    async () => {
      const position = await store.db.selectFrom('position').select('sequence').executeTakeFirst();

      return (position?.sequence ?? 0) >= lastSequence || undefined;
    },
    { deadlineMs: 30_000, describe: 'the last event in the database' },
  );
};

/** A user says something more, as soon as that can be; it is in the database then. */
export const saySomething = async (archive: Archive): Promise<void> => {
  await waitFor(
    async () => {
      const body = { network: `198.51.100.${randomInt(256)}`, profile: {} };
      const response = await archive.api('/controllers', { method: 'POST', body });

      return response.ok || undefined;
    },
    { deadlineMs: 30_000, describe: 'the stream to be there' },
  );
};
