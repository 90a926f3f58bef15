import { randomBytes, randomUUID } from 'node:crypto';
import { connectBus } from '@reelstream/bus';
import { encryptSecret, Secret } from '@reelstream/service';
import { openStore, sql } from '@reelstream/store';
import type { DeliveryRow, Store } from '@reelstream/store';
import { startNats, startPostgres } from '@reelstream/testing';
import type { TestNats, TestPostgres } from '@reelstream/testing';

const clusterKey = randomBytes(32).toString('base64');

/** Real servers, and rows as metadata writes them. */
export class Bench implements AsyncDisposable {
  readonly nats: TestNats;
  readonly postgres: TestPostgres;
  readonly store: Store;

  private constructor(nats: TestNats, postgres: TestPostgres) {
    this.nats = nats;
    this.postgres = postgres;
    this.store = openStore(postgres.url);
  }

  static async open(): Promise<Bench> {
    const [nats, postgres] = await Promise.all([startNats(), startPostgres()]);
    await using bus = await connectBus({ url: nats.url, name: 'bench' });
    await bus.events.ensure();
    const bench = new Bench(nats, postgres);
    await bench.store.migrate();

    return bench;
  }

  /** The publisher's environment. */
  environment(settings: Readonly<Record<string, string>> = {}): Record<string, string> {
    return {
      NATS_URL: this.nats.url,
      DATABASE_URL: this.postgres.url,
      REEL_CLUSTER_KEY: clusterKey,
      REEL_LOG_LEVEL: 'silent',
      REEL_WEBHOOK_BACKOFF_MS: '60000,60000',
      ...settings,
    };
  }

  async subscribe(url: string): Promise<{ readonly id: string; readonly secret: string }> {
    const id = randomUUID();
    const secret = `whsec_${randomBytes(32).toString('base64')}`;
    await this.store.db
      .insertInto('subscription')
      .values({
        subscription_id: id,
        url,
        types: [],
        encrypted_secret: encryptSecret(new Secret(clusterKey), secret),
        created_at: new Date(),
      })
      .execute();

    return { id, secret };
  }

  /** Writes one delivery for each session named, in this order, and wakes publishers. Resolves to their numbers. */
  enqueue(subscription: string, ...sessions: readonly string[]): Promise<number[]> {
    return this.store.db.transaction().execute(async (trx) => {
      const { rows } = await sql<{ next: number }>`
        update subscription set next_sequence = next_sequence + ${sessions.length}
        where subscription_id = ${subscription} returning next_sequence - ${sessions.length} as next`.execute(
        trx,
      );
      const next = rows[0]?.next ?? 1;
      const values = sessions.map((session, index) => ({
        subscription_id: subscription,
        session_key: session,
        sequence: next + index,
        event_id: randomUUID(),
        body: JSON.stringify({ type: 'session.updated', session, n: next + index }),
      }));
      await trx.insertInto('delivery').values(values).execute();
      await sql`select pg_notify('delivery', '')`.execute(trx);

      return values.map(({ sequence }) => sequence);
    });
  }

  rows(subscription: string): Promise<DeliveryRow[]> {
    return this.store.db
      .selectFrom('delivery')
      .selectAll()
      .where('subscription_id', '=', subscription)
      .orderBy('sequence')
      .execute();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
    await this.postgres[Symbol.asyncDispose]();
    await this.nats[Symbol.asyncDispose]();
  }
}
