import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Bus, NodeWatch } from '@reelstream/bus';
import { formatPosition } from '@reelstream/bus';
import type { Logger, Secret } from '@reelstream/service';
import type { Store } from '@reelstream/store';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GapChaser } from '../gaps.ts';
import type { MediaRemover } from '../media-remover.ts';
import type { Progress } from '../progress.ts';
import type { Retention } from '../retention.ts';
import type { SlowFactMirror } from '../slow-facts.ts';

/** What the routes work with. */
export type Api = {
  readonly store: Store;
  readonly bus: Bus;
  readonly watch: NodeWatch;
  readonly progress: Progress;
  readonly gaps: GapChaser;
  readonly slowFacts: SlowFactMirror;
  readonly remover: MediaRemover;
  readonly retention: Retention;
  readonly log: Logger;
  readonly token: Secret;
  readonly clusterKey: Secret;
  readonly server: string;
  /** CloudEvents source and epoch of the events that the API writes. */
  readonly source: string;
  readonly epoch: number;
};

/** One group of routes; registered below the API's prefix. */
export type Routes = (
  api: Api,
) => (
  app: FastifyInstance<
    RawServerDefault,
    IncomingMessage,
    ServerResponse,
    FastifyBaseLogger,
    TypeBoxTypeProvider
  >,
) => Promise<void>;

/** The position that a list speaks of; absent before the database was first reached. */
export const positionOf = ({ progress }: Api): { readonly position?: string } =>
  progress.position ? { position: formatPosition(progress.position) } : {};
