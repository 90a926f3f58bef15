import { PositionRewound } from '@reelstream/events';
import type { Database, Kysely } from '@reelstream/store';
import { Compile } from 'typebox/compile';
import { generationAt, readBegun, rewoundPlace } from '../core/generations.ts';
import type { Begun } from '../core/generations.ts';

const isRewound = Compile(PositionRewound);

/** How places of the stream, as it is now, are counted in one server's database. */
export class Numbering {
  readonly generation: number;
  /** Behind it this generation began. */
  readonly base: number;
  readonly #begun: readonly Begun[];

  private constructor({ generation, base }: Begun, earlier: readonly Begun[]) {
    this.generation = generation;
    this.base = base;
    this.#begun = [...earlier, { generation, base }];
  }

  /** From its position and what it noted of its rewinds, as alarms and as events. */
  static async read(db: Kysely<Database>, server: string): Promise<Numbering> {
    const position = await db
      .selectFrom('position')
      .select(['generation', 'base'])
      .where('server', '=', server)
      .executeTakeFirstOrThrow();
    const said = await db
      .selectFrom('event')
      .select('envelope')
      .where('subject', '=', server)
      .where('type', '=', 'position.rewound')
      .execute();
    const alarms = await db
      .selectFrom('alarm')
      .select('detail')
      .where('kind', '=', 'position.rewound')
      .execute();
    const noted = [...alarms.map(({ detail }) => detail), ...said.map(({ envelope }) => envelope.data)];
    const begun = readBegun(
      noted.flatMap((detail) => (isRewound.Check(detail) && detail.server === server ? [detail.common] : [])),
    );

    return new Numbering(
      position,
      begun.filter(({ generation }) => generation < position.generation),
    );
  }

  /** The generation in which a place was read first. */
  generationAt(sequence: number): number {
    return generationAt(this.#begun, sequence);
  }

  /** Where what was written at a place counts as written now. */
  rewound(place: { readonly generation: number; readonly sequence: number }): typeof place {
    return rewoundPlace(this.#begun, place);
  }

  /** Whether a generation began there. */
  isBeginning({ generation, sequence }: { readonly generation: number; readonly sequence: number }): boolean {
    return this.#begun.some((begun) => begun.generation === generation && begun.base === sequence);
  }
}
