import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { announceNode } from '@reelstream/bus';
import { commandSubject, freshId, mintEvent } from '@reelstream/events';
import type { Command, CommandReply, Heartbeat, PublicSession } from '@reelstream/events';
import { heartbeatOf } from './test-support/heartbeat.ts';
import { startTestMetadata, until } from './test-support/system.ts';
import type { TestMetadata } from './test-support/system.ts';
import { storyOf } from './test-support/story.ts';
import type { Story } from './test-support/story.ts';

const dayMs = 86_400_000;
const daysAgo = (days: number): string => new Date(Date.now() - days * dayMs).toISOString();

let system: TestMetadata;
after(() => system[Symbol.asyncDispose]());

const sessionOf = (sessionId: string): Promise<PublicSession> =>
  system.json<PublicSession>(`/sessions/${sessionId}`);

const isPruned = async ({ sessionId }: Story): Promise<boolean> =>
  (await sessionOf(sessionId)).recordingRemovedAt !== undefined;

/** A sealed session of a home that ended so many days ago; held if it is to be. */
const recorded = async (home: string, ageDays: number, held = false): Promise<Story> => {
  const story = storyOf({ home, startedAt: daysAgo(ageDays) });
  for (const event of story.events) await system.bus.events.appendOwned(event);
  await until('the session', async () => (await sessionOf(story.sessionId)).recording !== undefined);
  if (!held) return story;
  const response = await system.api(`/sessions/${story.sessionId}/tags`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'legal-hold' }),
  });
  assert.ok(response.ok);

  return story;
};

type Answer = (command: Command['command']) => Promise<CommandReply>;

/** A node that is alive, with such a disk, and answers commands. Returns what ends it. */
const nodeAt = (
  nodeId: string,
  role: 'capture' | 'playback',
  answer: Answer,
  storage?: () => Heartbeat['storage'],
): Disposable => {
  const ends = new DisposableStack();
  ends.defer(
    system.bus.subscribe(commandSubject(nodeId), async ({ data, reply }) =>
      reply(await answer((data as Command).command)),
    ),
  );
  ends.defer(
    announceNode(system.bus, () => {
      const now = storage?.();

      return heartbeatOf(nodeId, { role, ...(now && { storage: now }) });
    }),
  );

  return ends;
};

/** A home that removes what it is asked to, and notes it. */
const removing =
  (stories: readonly Story[], pruned: string[]): Answer =>
  async (command) => {
    assert.ok(command.name === 'remove-media' && command.cause === 'pruned');
    const { sessionId } = command;
    const sealed = stories.find((story) => story.sessionId === sessionId)?.sealed;
    assert.ok(sealed);
    pruned.push(sessionId);
    const { data, source } = sealed;
    const time = new Date().toISOString();
    await system.bus.events.appendOwned(
      mintEvent({
        type: 'recording.removed',
        id: freshId(),
        time,
        source,
        subject: sessionId,
        origin: 'primary',
        version: 5,
        epoch: 1,
        data: { sessionId, removedAt: time, home: data.home, host: data.host, cause: 'pruned' },
      }),
    );

    return { ok: true, version: 5 };
  };

describe('retention by age or space, for 30 days', () => {
  before(async () => {
    system = await startTestMetadata({
      REEL_RETENTION: 'age-or-space',
      REEL_RETENTION_DAYS: '30',
      REEL_RETENTION_METADATA_DAYS: '10',
    });
  });

  test('prunes on nodes with unequal disks by the same age, oldest first, and leaves a legal hold that was set while the home was away', async () => {
    const small = [
      await recorded('small', 31),
      await recorded('small', 40),
      await recorded('small', 29),
      await recorded('small', 90, true),
    ] as const;
    const large = [await recorded('large', 31), await recorded('large', 29)] as const;
    const [bySmall, byLarge]: [string[], string[]] = [[], []];
    using stack = new DisposableStack();
    stack.use(
      nodeAt('small', 'capture', removing(small, bySmall), () => ({
        level: 'LOW',
        usedPercent: 80,
        totalBytes: 1e9,
      })),
    );
    stack.use(
      nodeAt('large', 'capture', removing(large, byLarge), () => ({
        level: 'NORMAL',
        usedPercent: 1,
        totalBytes: 1e13,
      })),
    );
    await until('what is old to be pruned', async () => (await isPruned(small[0])) && isPruned(large[0]));
    assert.deepEqual(bySmall, [small[1].sessionId, small[0].sessionId]);
    assert.deepEqual(byLarge, [large[0].sessionId]);
    const shown = await sessionOf(small[0].sessionId);
    assert.deepEqual([shown.state, shown.recording, shown.tracks.length], ['CLOSED_NORMAL', undefined, 1]);
    const { retention } = await system.json<{ retention: Record<string, unknown> }>('/status');
    assert.deepEqual(
      [retention.mode, retention.due, retention.held, retention.pruned],
      ['age-or-space', 0, 1, 3],
    );
  });

  test('frees a critical disk of its oldest recordings, however young, until it is critical no more', async () => {
    const stories = [
      await recorded('full', 3),
      await recorded('full', 5, true),
      await recorded('full', 4),
      await recorded('full', 2),
    ] as const;
    const pruned: string[] = [];
    // Of 100 bytes 6 are to go, and a recording has 10: one is enough.
    const storage = () =>
      pruned.length === 0
        ? ({ level: 'CRITICAL', usedPercent: 90, totalBytes: 100 } as const)
        : ({ level: 'LOW', usedPercent: 80, totalBytes: 100 } as const);
    using _full = nodeAt('full', 'capture', removing(stories, pruned), storage);
    await until('the oldest to be pruned', () => isPruned(stories[2]));
    assert.deepEqual(pruned, [stories[2].sessionId]);
  });

  test('waits for a playback that makes an export of it', async () => {
    const story = await recorded('exporting', 60);
    const pruned: string[] = [];
    const asked: Command['command'][] = [];
    {
      using _playback = nodeAt('playback-busy', 'playback', async (command) => {
        asked.push(command);

        return { ok: false, code: 'in-use' };
      });
      await until('the playback to be heard', async () =>
        (await system.json<{ items: { nodeId: string }[] }>('/nodes')).items.some(
          ({ nodeId }) => nodeId === 'playback-busy',
        ),
      );
      using _home = nodeAt('exporting', 'capture', removing([story], pruned));
      await until('the playback to be asked', () => asked.length > 0);
      assert.deepEqual(asked, [{ name: 'forget', sessionId: story.sessionId, unlessInUse: true }]);
    }
    assert.deepEqual(pruned, []);
    assert.equal(await isPruned(story), false);
  });

  test('deletes a session some days after its media, unless it is held', async () => {
    const stories = [await recorded('gone', 60), await recorded('gone', 60, true)] as const;
    for (const { sessionId, sealed } of stories)
      await system.bus.events.appendOwned(
        mintEvent({
          type: 'recording.removed',
          id: freshId(),
          time: daysAgo(11),
          source: sealed.source,
          subject: sessionId,
          origin: 'primary',
          version: 5,
          epoch: 1,
          data: { sessionId, removedAt: daysAgo(11), home: 'gone', host: 'box', cause: 'pruned' },
        }),
      );
    await until(
      'the session to be deleted',
      async () => (await sessionOf(stories[0].sessionId)).state === 'DELETED',
    );
    assert.equal((await sessionOf(stories[1].sessionId)).state, 'CLOSED_NORMAL');
  });

  test('names the nodes that are told otherwise, as long as they live', async () => {
    const differing = async (): Promise<readonly string[]> => {
      const { retention } = await system.json<{ retention: { differing: { nodeId: string }[] } }>('/status');

      return retention.differing.map(({ nodeId }) => nodeId);
    };
    {
      const retention = { mode: 'age-or-space', days: 31, metadataDays: 10 } as const;
      using _other = {
        [Symbol.dispose]: announceNode(system.bus, () =>
          heartbeatOf('metadata-2', { role: 'metadata', retention }),
        ),
      };
      await until('it to be named', async () => String(await differing()) === 'metadata-2');
    }
    await until('it to be forgotten', async () => (await differing()).length === 0);
  });

  test('a home that answers nothing holds up no other', async () => {
    for (let at = 0; at < 7; at++) await recorded('deaf', 50);
    const asked: Command['command'][] = [];
    using _deaf = nodeAt('deaf', 'capture', (command) => {
      asked.push(command);

      return new Promise(() => undefined);
    });
    await until('the one to be asked', () => asked.length > 0);
    const story = await recorded('hearing', 50);
    const pruned: string[] = [];
    using _hearing = nodeAt('hearing', 'capture', removing([story], pruned));
    await until('the other to be freed', () => isPruned(story));
    assert.ok(asked.length < 7, 'the other had to wait');
  });
});
