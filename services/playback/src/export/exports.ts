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
import { channelsOf, undecodable } from '../core/channels.ts';
import type { FileCache } from './cache.ts';
import { ExportError } from './errors.ts';
import { renderWav } from './render-wav.ts';
import type { Slots } from './slots.ts';

/** Part of every key: raised when the same packets would render to other samples. */
const renderingVersion = 1;

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
    .digest('hex');

/** Says which channels have media that can't be heard, as `2=G729`. */
const silenceHeader = (channels: ReturnType<typeof channelsOf>): Record<string, string> => {
  const silent = channels
    .filter(({ silentCodecs }) => silentCodecs.length > 0)
    .map(({ trackNumber, silentCodecs }) => `${trackNumber}=${silentCodecs.join('+')}`);

  return silent.length === 0 ? {} : { 'reel-silent-tracks': silent.join(', ').replace(/[^\x20-\x7e]/g, '?') };
};

/** A recording's media in the forms it can be fetched in. */
export class Exports {
  readonly #options: ExportOptions;

  constructor(options: ExportOptions) {
    this.#options = options;
  }

  /** The recording as WAV; undefined for an unknown session. Throws NotSealedError, DamagedFileError, ExportError. */
  async wav(sessionId: string): Promise<MediaFile | undefined> {
    const recording = await findRecording(this.#options.recordingsDir, sessionId);
    if (!recording) return undefined;
    const channels = channelsOf(recording.manifest.tracks);
    const codecs = undecodable(channels);
    if (codecs.length > 0) {
      throw new ExportError(
        'CODEC_NOT_DECODABLE',
        `${codecs.join(', ')} can't be decoded: fetch the tracks as rtpdump`,
      );
    }

    const key = keyOf(recording.manifest);
    const path = await this.#options.cache.get(`${key}.wav`, (workFolder) =>
      this.#options.slots.run(async () => {
        const { path: made, notes } = await renderWav(recording.folder, channels, workFolder);
        if (notes.length > 0) this.#options.log.warn({ sessionId, notes }, 'recording rendered with losses');

        return made;
      }),
    );

    return {
      path,
      contentType: 'audio/wav',
      fileName: `${recording.manifest.sessionId}.wav`,
      etag: `"${key}"`,
      headers: silenceHeader(channels),
    };
  }

  /** The packets of one track; undefined for an unknown session or track. Throws NotSealedError, DamagedFileError. */
  async rtpdump(sessionId: string, trackNumber: number): Promise<MediaFile | undefined> {
    const recording = await findRecording(this.#options.recordingsDir, sessionId);
    const track = recording?.manifest.tracks.find((candidate) => candidate.trackNumber === trackNumber);
    const file = recording?.manifest.files.find(({ name }) => name === track?.rtpdump);
    if (!recording || !file) return undefined;

    return {
      path: join(recording.folder, file.name),
      contentType: 'application/octet-stream',
      fileName: `${recording.manifest.sessionId}-${trackNumber}.rtpdump`,
      etag: `"${file.sha256}"`,
      headers: {},
    };
  }
}
