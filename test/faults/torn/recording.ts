import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readTrackPackets, recordingFolder, recoverRecordings } from '@reelstream/recording';
import type { Random } from '../../support/random.ts';
import type { FaultRow } from '../fault-case.ts';
import type { Kind } from './damage.ts';
import { packetOf, packetsOfBeat } from './recorded.ts';
import type { Recorded } from './recorded.ts';
import { Tally } from './tally.ts';

/** Sealing takes some syncs: so many states, drawn by chance. */
const states = 40;

const damagedBy = (bytes: Buffer, kind: Kind, at: number, random: Random): Buffer => {
  const damaged = Buffer.from(bytes);
  if (kind === 'cut') return damaged.subarray(0, at);
  if (kind === 'zeros') return damaged.fill(0, at);
  damaged[at] = damaged[at]! ^ (1 << random.below(8));

  return damaged;
};

/** What the sealed recording of a session holds, by packet. */
const packetsIn = async (folder: string): Promise<readonly string[]> => {
  const found: string[] = [];
  for await (const { packets } of readTrackPackets(folder, 0))
    for (const { packet } of packets) found.push(Buffer.from(packet).toString('latin1'));

  return found;
};

/** A segment damaged in its last second, and the recordings that are made of it: whole files, of what was sent, in its order. */
export const recoverTorn = async (recorded: Recorded, kind: Kind, random: Random): Promise<FaultRow> => {
  const { folder, segments, segment, segmentBytes, lastSecond, sessionIds, packetsOfStream } = recorded;
  const tally = new Tally();
  const sent = sessionIds.map((_, stream) =>
    Array.from({ length: packetsOfStream }, (__, place) => packetOf(stream, place).toString('latin1')),
  );
  const secondOfPackets = 50;
  const look = async () => {
    const recordings = await mkdtemp(join(folder, 'recordings-'));
    const at = lastSecond + random.below(segmentBytes.length - lastSecond);
    await writeFile(segment, damagedBy(segmentBytes, kind, at, random));
    const requests = sessionIds.map((sessionId) => ({
      recordings,
      segments,
      sessionId,
      home: 'capture-1',
      host: 'host-1',
      startedAt: '2025-11-25T00:00:00.000Z',
      sealedAt: '2025-11-25T00:01:00.000Z',
      tracks: [{ trackNumber: 0, mediaType: 'audio' as const, codecs: [] }],
    }));
    const { recordings: made, damage } = recoverRecordings(segments, [segment], requests);
    const failed = made.find(({ ok }) => !ok);
    if (failed && !failed.ok) throw failed.error;
    let [kept, missing, invented] = [0, 0, 0];
    for (const [stream, sessionId] of sessionIds.entries()) {
      const found = await packetsIn(join(recordings, recordingFolder(sessionId)));
      const known = sent[stream]!;
      const places = found.map((packet) => known.indexOf(packet));
      invented += places.filter((place, i) => place < 0 || place <= (places[i - 1] ?? -1)).length;
      const early = known.slice(0, packetsOfStream - secondOfPackets);
      missing += early.filter((packet) => !found.includes(packet)).length;
      kept += found.length;
    }
    await rm(recordings, { recursive: true });
    const most = packetsOfStream * sessionIds.length;

    return {
      whole: kept + missing,
      kept,
      invented,
      unsaid: most - kept >= packetsOfBeat && damage.length === 0,
    };
  };
  for (let state = 0; state < states; state++) await tally.judge(look);
  await writeFile(segment, segmentBytes);

  return tally.row(`recordings made of a segment: ${kind}`, 'packets');
};
