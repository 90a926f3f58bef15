import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { blockKind, parseSegmentFile, sessionIdOf, workerFolder } from './segment-format.ts';
import type { Pointer, SegmentName } from './segment-format.ts';
import { SegmentReader } from './segment-reader.ts';
import type { Block } from './segment-reader.ts';

/** Where a block lies. */
export type BlockPlace = Pointer & { readonly worker: number };

/** The blocks of one stream of one session, oldest first. */
export type StreamBlocks = { readonly trackNumber: number; readonly places: readonly BlockPlace[] };

/** A block as a scan meets it: `isFirst` of its stream in one life of the node. */
export type FoundBlock = BlockPlace & { readonly isFirst: boolean };

export type SegmentSummary = SegmentName & { readonly path: string; readonly sessions: ReadonlySet<string> };

/** Everything that segments hold: blocks by session and track, and what could not be read. */
export type SegmentCatalogue = {
  readonly sessions: ReadonlyMap<string, ReadonlyMap<number, readonly FoundBlock[]>>;
  /** Those that could be read. */
  readonly segments: readonly SegmentSummary[];
  readonly damage: readonly string[];
};

const mostOpen = 16;

/** What passes, and says nothing of the file. */
const wantOfDescriptors: readonly (string | undefined)[] = ['EMFILE', 'ENFILE'];

const namesIn = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};

/** All segments of a node, opened as they are needed. Blocking. */
export class SegmentStore implements Disposable {
  readonly #folder: string;
  readonly #paths = new Map<string, SegmentName & { readonly path: string }>();
  readonly #open = new Map<string, SegmentReader>();

  constructor(folder: string) {
    this.#folder = folder;
    this.#list();
  }

  get names(): readonly (SegmentName & { readonly path: string })[] {
    return [...this.#paths.values()].toSorted((a, b) => a.worker - b.worker || a.segment - b.segment);
  }

  /** The reader of a segment; undefined where there is none, or it can't be opened. Throws Node's error for want of descriptors. */
  reader(worker: number, segment: number): SegmentReader | undefined {
    const key = `${worker}/${segment}`;
    const open = this.#open.get(key);
    if (open) return open;
    const name = this.#paths.get(key);
    if (!name) return undefined;
    if (this.#open.size >= mostOpen) this[Symbol.dispose]();
    try {
      const reader = SegmentReader.open(name.path, name);
      this.#open.set(key, reader);

      return reader;
    } catch (error) {
      if (wantOfDescriptors.includes((error as NodeJS.ErrnoException).code)) throw error;

      return undefined;
    }
  }

  block({ worker, segment, offset }: BlockPlace): Block | undefined {
    return this.reader(worker, segment)?.blockAt(offset);
  }

  /** Walks back from the last block of a stream; undefined where the chain is broken. */
  chain(head: BlockPlace): readonly BlockPlace[] | undefined {
    const places: BlockPlace[] = [];
    for (let place = head; place.segment !== 0;) {
      const block = this.block(place);
      if (!block) return undefined;
      places.push(place);
      place = { worker: head.worker, ...block.previous };
    }

    return places.toReversed();
  }

  /** Reads the named segments (all, without names) from end to end. One that can't be opened is damage: what it holds is not known. */
  scan(names = this.names): SegmentCatalogue {
    const sessions = new Map<string, Map<number, FoundBlock[]>>();
    const segments: SegmentSummary[] = [];
    const damage: string[] = [];
    for (const { worker, segment, salt, path } of names) {
      const found = new Set<string>();
      const reader = this.reader(worker, segment);
      if (!reader) {
        damage.push(`${path}: it can't be opened`);
        continue;
      }
      const bad = reader.scan((block) => {
        if (block.kind !== blockKind.media) return;
        const sessionId = sessionIdOf(block.session);
        found.add(sessionId);
        const tracks = sessions.get(sessionId) ?? new Map<number, FoundBlock[]>();
        sessions.set(sessionId, tracks);
        const places = tracks.get(block.trackNumber) ?? [];
        tracks.set(block.trackNumber, places);
        places.push({ worker, segment, offset: block.offset, isFirst: block.ordinal === 1 });
      });
      for (const { atByte, bytes } of bad) damage.push(`${path}: ${bytes} bytes at ${atByte}`);
      segments.push({ worker, segment, salt, path, sessions: found });
    }

    return { sessions, segments, damage };
  }

  [Symbol.dispose](): void {
    for (const reader of this.#open.values()) reader[Symbol.dispose]();
    this.#open.clear();
  }

  #list(): void {
    for (const folder of namesIn(this.#folder)) {
      const worker = Number(/^worker-(\d+)$/.exec(folder)?.[1] ?? -1);
      if (worker < 0) continue;
      for (const name of namesIn(join(this.#folder, workerFolder(worker)))) {
        const parsed = parseSegmentFile(name);
        const path = join(this.#folder, workerFolder(worker), name);
        if (parsed) this.#paths.set(`${worker}/${parsed.segment}`, { worker, ...parsed, path });
      }
    }
  }
}
