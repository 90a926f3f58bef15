import { setTimeout as sleep } from 'node:timers/promises';
import type { RawEvent } from '@reelstream/events';
import type { System } from '../../support/system.ts';

/** Nothing new for so long: that was all. */
const quietMs = 2_000;

/** Every event that the database has, as the API replays them. */
const allEvents = async (system: System): Promise<readonly RawEvent[]> => {
  const { body } = await system.api('/events?after=0:0', { headers: { accept: 'text/event-stream' } });
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const chunk = await Promise.race([reader?.read(), sleep(quietMs, undefined, { ref: false })]);
    if (!chunk || chunk.done) break;
    text += chunk.value;
  }
  await reader?.cancel();

  return text
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => JSON.parse(line.slice('data: '.length)) as RawEvent);
};

type Life = { readonly nodeId: string; readonly lostEpoch?: number };

/** Nodes whose last life, in which they are, was declared lost. */
export const lostAlive = async (system: System): Promise<readonly string[]> => {
  const events = await allEvents(system);
  const alive = new Set((await system.nodes()).map(({ nodeId }) => nodeId));
  const epochs = new Map<string, number>();
  for (const { type, subject, epoch } of events)
    if (type === 'node.started') epochs.set(subject, Math.max(epoch, epochs.get(subject) ?? 0));

  return events
    .filter(({ type }) => type === 'node.lost')
    .map(({ data }) => data as Life)
    .filter(({ nodeId, lostEpoch = 0 }) => alive.has(nodeId) && lostEpoch >= (epochs.get(nodeId) ?? Infinity))
    .map(({ nodeId }) => nodeId);
};
