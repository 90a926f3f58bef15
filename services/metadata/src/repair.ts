import type { Bus } from '@reelstream/bus';
import { mintEvent, PositionRewound, understand } from '@reelstream/events';
import type { RawEvent } from '@reelstream/events';
import type { Store } from '@reelstream/store';
import { Compile } from 'typebox/compile';
import type { StoredPosition } from './adapters/position.ts';
import { lostFrom } from './core/generations.ts';

export type Repair = {
  readonly store: Store;
  readonly bus: Bus;
  readonly server: string;
  /** CloudEvents source and epoch of what we write. */
  readonly source: string;
  readonly epoch: number;
  readonly signal: AbortSignal;
};

const isRewound = Compile(PositionRewound);

/**
 * Brings facts that only this database still holds back to the stream: its own rewinds, and after a rewind whatever this
 * server's API and watchdog had written and the stream has lost. Homes bring back their own. To be called once the
 * database has caught up; doing it twice is harmless. Returns the number of events that were appended.
 */
export const repairStream = async (repair: Repair, { generation }: StoredPosition): Promise<number> => {
  const { store, server } = repair;
  const alarms = await store.db
    .selectFrom('alarm')
    .leftJoin('event', 'event.id', 'alarm.alarm_id')
    .select(['alarm_id', 'raised_at', 'detail', 'event.id as event_id'])
    .where('kind', '=', 'position.rewound')
    .orderBy('raised_at')
    .execute();
  const rewinds = alarms.flatMap(({ detail, ...alarm }) =>
    isRewound.Check(detail) && detail.server === server ? [{ ...alarm, detail }] : [],
  );
  const unsaid = rewinds.filter(({ event_id: said }) => said === null);
  for (const { alarm_id: id, raised_at: raisedAt, detail } of unsaid)
    await sayRewound(repair, id, raisedAt, detail);

  let appended = unsaid.length;
  for (const lost of lostFrom(
    generation,
    rewinds.map(({ detail }) => detail.common),
  ))
    appended += await appendLost(repair, lost);

  return appended;
};

const sayRewound = async (
  { bus, server, source, epoch, signal }: Repair,
  id: string,
  raisedAt: Date,
  data: PositionRewound,
): Promise<void> => {
  const time = raisedAt.toISOString();
  await bus.events.appendShared(
    mintEvent({
      type: 'position.rewound',
      id,
      time,
      source,
      subject: server,
      origin: server,
      version: 1,
      epoch,
      data,
    }),
    signal,
  );
};

/** The server's memory of ids may outlive the messages: so not by `appendShared`. */
const appendLost = async (
  { store, bus, server, signal }: Repair,
  { generation, after }: { readonly generation: number; readonly after: number },
): Promise<number> => {
  const rows = await store.db
    .selectFrom('event')
    .select('envelope')
    .where('generation', '=', generation)
    .where('sequence', '>', after)
    .where('origin', '=', server)
    .where('family', 'not in', ['session', 'recording'])
    .orderBy('sequence')
    .execute();
  let appended = 0;
  for (const envelope of rows.map((row): RawEvent => row.envelope)) {
    const understood = understand(envelope);
    // A newer release wrote it; that release will bring it back.
    if (understood.status !== 'known') continue;
    await bus.events.republish(understood.event, signal);
    appended += 1;
  }

  return appended;
};
