import type { TrackSummary } from '../codec/channels.ts';
import type { Format } from '../core/formats.ts';
import type { Tone } from '../core/tones.ts';

/** What a rendering process is to do; it comes as JSON on its standard input. */
export type Job = {
  /** Folder of the recording. */
  readonly folder: string;
  readonly tracks: readonly TrackSummary[];
  readonly format: Format | 'tones' | 'masked tones';
  /** Folder to work in, empty; the result is made there. */
  readonly workFolder: string;
};

/** What of a track could not be rendered. */
export type TrackNote = {
  readonly trackNumber: number;
  readonly strays?: number;
  readonly undecoded?: number;
  readonly damage?: string;
};

/** Lines of JSON on its standard output, the last of them `done` or `failed`. */
export type Report =
  | { readonly kind: 'progress'; readonly progress: number }
  | { readonly kind: 'done'; readonly path: string; readonly notes: readonly TrackNote[] }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

export type ToneFile = { readonly items: readonly Tone[] };
