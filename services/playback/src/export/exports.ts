import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  isRemoved,
  NotSealedError,
  readManifest,
  recordingFolder,
  SessionIdError,
} from '@reelstream/recording';
import type { Manifest } from '@reelstream/recording';
import type { Logger } from '@reelstream/service';
import { channelsOf, undecodable } from '../codec/channels.ts';
import { videosOf } from '../codec/videos.ts';
import { formats } from '../core/formats.ts';
import type { Format } from '../core/formats.ts';
import type { Job } from '../render/job.ts';
import type { FileCache } from './cache.ts';
import { ExportError } from './errors.ts';
import { Making } from './making.ts';
import { renderApart } from './renderer.ts';
import type { Slots } from './slots.ts';

/** Part of every key: raised when the same packets would render to other samples. */
const renderingVersion = 2;

export type MediaFile = {
  readonly path: string;
  readonly contentType: string;
  readonly fileName: string;
  /** Strong entity tag, with its quotes. */
  readonly etag: string;
  readonly headers: Readonly<Record<string, string>>;
};

export type ExportOptions = {
  readonly recordingsDir: string;
  readonly cache: FileCache;
  readonly slots: Slots;
  readonly log: Logger;
  /** Whether lists of tones tell the keys; shown by default. */
  readonly tones?: 'shown' | 'masked';
};

type Recording = { readonly folder: string; readonly manifest: Manifest };

/** The recording of a session, or undefined where there is none; throws NotSealedError while it is being made. */
const findRecording = async (recordingsDir: string, sessionId: string): Promise<Recording | undefined> => {
  let folder: string;
  try {
    folder = join(recordingsDir, recordingFolder(sessionId));
  } catch (error) {
    if (error instanceof SessionIdError) return undefined;
    throw error;
  }
  if (await isRemoved(folder)) return undefined;
  try {
    return { folder, manifest: await readManifest(folder) };
  } catch (error) {
    if (!(error instanceof NotSealedError)) throw error;
    const exists = await stat(folder).then(
      (info) => info.isDirectory(),
      () => false,
    );
    if (!exists) return undefined;
    throw error;
  }
};

const keyOf = (manifest: Manifest): string => `${manifest.sessionId.toLowerCase()}.${digestOf(manifest)}`;

const digestOf = (manifest: Manifest): string =>
  createHash('sha256')
    .update(`${renderingVersion}\n`)
    .update(manifest.files.map(({ name, sha256 }) => `${name} ${sha256}\n`).join(''))
    .update(JSON.stringify(manifest.tracks.map(({ codecs }) => codecs)))
    .digest('hex');

/** Says which tracks have media that isn't in the export, as `2=G729`. */
const silenceHeader = (tracks: Manifest['tracks'], format: Format): Record<string, string> => {
  const videos = format === 'mp4' ? videosOf(tracks) : [];
  const silent = [
    ...channelsOf(tracks).map(({ trackNumber, silentCodecs }) => ({ trackNumber, codecs: silentCodecs })),
    ...videos.map(({ trackNumber, unseenCodecs }) => ({ trackNumber, codecs: unseenCodecs })),
  ]
    .filter(({ codecs }) => codecs.length > 0)
    .map(({ trackNumber, codecs }) => `${trackNumber}=${codecs.join('+')}`);

  return silent.length === 0 ? {} : { 'reel-silent-tracks': silent.join(', ').replace(/[^\x20-\x7e]/g, '?') };
};

/** Throws ExportError where nothing of a recording can be had in a format. */
const refuseSilence = (tracks: Manifest['tracks'], format: Format): void => {
  const channels = channelsOf(tracks);
  const videos = videosOf(tracks);
  if (format === 'mp4' && videos.some(({ uses }) => uses.size > 0)) return;
  const codecs = undecodable(channels);
  if (codecs.length === 0 && (channels.length > 0 || tracks.length === 0)) return;
  const what = codecs.length > 0 ? `${codecs.join(', ')} can't be decoded` : 'there is no sound in it';
  throw new ExportError('CODEC_NOT_DECODABLE', `${what}: fetch the tracks as rtpdump`);
};

/** A recording's media in the forms it can be fetched in. */
export class Exports {
  readonly #options: ExportOptions;
  readonly #making = new Map<string, Making>();

  constructor(options: ExportOptions) {
    this.#options = options;
  }

  /**
   * The recording in a format: made already, or being made from now on; undefined for an unknown session. Throws
   * NotSealedError, DamagedFileError, ExportError.
   */
  async recording(sessionId: string, format: Format): Promise<Making | undefined> {
    const found = await findRecording(this.#options.recordingsDir, sessionId);
    if (!found) return undefined;
    const { tracks } = found.manifest;
    refuseSilence(tracks, format);

    return this.#make(found, format, format, {
      contentType: formats[format].contentType,
      fileName: `${sessionId}.${format}`,
      headers: silenceHeader(tracks, format),
    });
  }

  /** The keys that were pressed, as JSON; undefined for an unknown session. Throws as `recording` does. */
  async tones(sessionId: string): Promise<Making | undefined> {
    const found = await findRecording(this.#options.recordingsDir, sessionId);
    const media = { contentType: 'application/json', fileName: `${sessionId}-tones.json`, headers: {} };

    const { tones = 'shown' } = this.#options;

    return found && this.#make(found, tones === 'shown' ? 'tones' : 'masked tones', `${tones}.json`, media);
  }

  /** The packets of one track; undefined for an unknown session or track. Throws NotSealedError, DamagedFileError. */
  async rtpdump(sessionId: string, trackNumber: number): Promise<Making | undefined> {
    const recording = await findRecording(this.#options.recordingsDir, sessionId);
    const track = recording?.manifest.tracks.find((candidate) => candidate.trackNumber === trackNumber);
    const file = recording?.manifest.files.find(({ name }) => name === track?.rtpdump);
    if (!recording || !file) return undefined;

    return Making.done({
      path: join(recording.folder, file.name),
      contentType: 'application/octet-stream',
      fileName: `${recording.manifest.sessionId}-${trackNumber}.rtpdump`,
      etag: `"${file.sha256}"`,
      headers: {},
    });
  }

  /** Whether something of a session is being made just now. */
  isMaking(sessionId: string): boolean {
    const prefix = `${sessionId.toLowerCase()}.`;

    return [...this.#making.keys()].some((key) => key.startsWith(prefix));
  }

  async #make(
    { folder, manifest }: Recording,
    format: Job['format'],
    extension: string,
    media: Omit<MediaFile, 'path' | 'etag'>,
  ): Promise<Making> {
    const key = `${keyOf(manifest)}.${extension}`;
    const file = (path: string): MediaFile => ({ ...media, path, etag: `"${key}"` });
    const kept = await this.#options.cache.find(key);
    if (kept !== undefined) return Making.done(file(kept));
    const underway = this.#making.get(key);
    if (underway) return underway;
    const making = new Making(async (onProgress) => {
      const path = await this.#options.cache.get(key, (workFolder) =>
        this.#options.slots.run(() => this.#render(folder, manifest, format, workFolder, onProgress)),
      );

      return file(path);
    });
    this.#making.set(key, making);
    void making.settled.then(() => this.#making.delete(key));

    return making;
  }

  async #render(
    folder: string,
    manifest: Manifest,
    format: Job['format'],
    workFolder: string,
    onProgress: (progress: number) => void,
  ): Promise<string> {
    const { sessionId, tracks } = manifest;
    onProgress(0);
    const { path, notes } = await renderApart({ folder, tracks, format, workFolder }, onProgress);
    if (notes.length > 0) this.#options.log.warn({ sessionId, notes }, 'recording rendered with losses');

    return path;
  }
}
