import { addressFor } from '@reelstream/domain';
import type { SessionRecord } from '@reelstream/domain';
import { Uuid } from '@reelstream/events';
import { signPath } from '@reelstream/service';
import Type from 'typebox';
import { findSession } from '../adapters/sessions.ts';
import type { Api, Routes } from './api.ts';
import { Problem, ProblemDetails } from './problem.ts';
import { SessionParams } from './sessions.ts';

/** How long a link opens: long enough to begin, and to begin again after an interruption. */
const linkLifeMs = 10 * 60_000;

const TrackParams = Type.Object({
  sessionId: Uuid,
  file: Type.String({ pattern: '^\\d{1,4}\\.rtpdump$', description: '<trackNumber>.rtpdump' }),
});

const tags = ['media'];
const answers = {
  307: Type.Null({ description: 'at the Location, to be opened without the token and within minutes' }),
  '4xx': ProblemDetails,
  '5xx': ProblemDetails,
};

type Sealed = SessionRecord & { readonly recording: NonNullable<SessionRecord['recording']> };

const findSealed = async (api: Api, sessionId: string): Promise<Sealed> => {
  const record = await findSession(api.store.db, sessionId);
  if (!record) throw new Problem(404, 'SESSION_NOT_FOUND', `there is no session ${sessionId}`);
  const { recording, state, removedAt, annotations } = record;
  if (annotations?.deletedAt !== undefined)
    throw new Problem(410, 'SESSION_DELETED', `the session was deleted at ${annotations.deletedAt}`);
  if (removedAt !== undefined)
    throw new Problem(410, 'RECORDING_REMOVED', `the media was removed at ${removedAt}`);
  if (!recording)
    throw new Problem(409, 'RECORDING_NOT_SEALED', `the session is ${state}; its media is not complete yet`);

  return { ...record, recording };
};

/** The URL of a path at the playback on a machine, as this client's network knows it, signed. */
const playbackUrl = (api: Api, host: string, path: string, client: string): string => {
  // A drained one takes no calls, but it goes on with media over HTTP.
  const serving = ['ready', 'draining'];
  const node = api.watch
    .alive('playback')
    .find((playback) => serving.includes(playback.state) && playback.host === host && playback.http);
  if (!node?.http)
    throw new Problem(503, 'PLAYBACK_UNAVAILABLE', `no playback is ready on ${host}, which holds the media`);
  const { advertise, address, http } = node;
  const known = addressFor(advertise, client, address);
  const authority = known.includes(':') ? `[${known}]` : known;
  const query = signPath(api.clusterKey, path, Date.now() + linkLifeMs);

  return `http://${authority}:${http.port}${path}?${query}`;
};

/** What a whole recording can be fetched as: path below the session here, and at its playback. */
const forms = [
  { ours: 'recording.wav', theirs: 'recording.wav', summary: 'WAV, one channel a track' },
  { ours: 'recording.mp4', theirs: 'recording.mp4', summary: 'MP4: AAC, with video that came as H.264' },
  { ours: 'recording.opus', theirs: 'recording.opus', summary: 'Opus in Ogg' },
  { ours: 'recording.mp3', theirs: 'recording.mp3', summary: 'MP3' },
  { ours: 'tones', theirs: 'tones.json', summary: 'the keys that were pressed (RFC 4733), with offsets' },
] as const;

const patience =
  'With `Prefer: respond-async` playback answers 202 with `{state, progress}` and Retry-After as long as the file is ' +
  'being made; without, it answers when it is.';

/** Media is served by the machine that holds it; a signed link leads there. */
export const mediaRoutes: Routes = (api) => async (app) => {
  for (const { ours, theirs, summary } of forms) {
    app.get(
      `/sessions/:sessionId/${ours}`,
      { schema: { tags, summary, description: patience, params: SessionParams, response: answers } },
      async (request, reply) => {
        const { sessionId } = request.params;
        const { recording } = await findSealed(api, sessionId);
        const url = playbackUrl(api, recording.host, `/media/${sessionId}/${theirs}`, request.ip);

        return reply.header('cache-control', 'no-store').redirect(url, 307);
      },
    );
  }

  app.get(
    '/sessions/:sessionId/tracks/:file',
    { schema: { tags, params: TrackParams, response: answers } },
    async (request, reply) => {
      const { sessionId, file } = request.params;
      const { recording } = await findSealed(api, sessionId);
      const trackNumber = Number.parseInt(file, 10);
      if (!recording.files.some((each) => each.trackNumber === trackNumber && each.name.endsWith('.rtpdump')))
        throw new Problem(404, 'TRACK_NOT_FOUND', `session ${sessionId} has no track ${trackNumber}`);
      const path = `/media/${sessionId}/tracks/${trackNumber}.rtpdump`;

      return reply
        .header('cache-control', 'no-store')
        .redirect(playbackUrl(api, recording.host, path, request.ip), 307);
    },
  );
};
