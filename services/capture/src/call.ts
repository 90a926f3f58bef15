import { bibPairingKey, bibTrackNumber, classifyInvite, wantsAudioOnly, weightOf } from '@reelstream/domain';
import type { ControllerType, Participant, SessionFlag, SystemTag, Track } from '@reelstream/events';
import {
  carriesMedia,
  formatUri,
  parseUri,
  participantsByLabel,
  participantsInOrder,
  protectionOf,
  readInvite,
  undescribed,
  wantsPort,
} from '@reelstream/sip';
import type {
  Codec,
  Invitation,
  Metadata,
  ProtectionRefusal,
  RequestInfo,
  SrtpPolicy,
} from '@reelstream/sip';
import { addressTowards } from './capture-node.ts';
import type { CaptureNode } from './capture-node.ts';
import { oddities } from './core/flags.ts';
import { mergeParticipants, participantsOfPair, participantsOn } from './core/participants.ts';
import type { Said } from './core/participants.ts';
import { offeredAudio, offeredVideo } from './core/offered-codecs.ts';
import { closedTrack, newTrack, withCodec, withEncryption } from './core/tracks.ts';
import { srtpPolicyFor } from './leg-encryption.ts';
import type { RecordedLine } from './leg-state.ts';
import type { Leg } from './leg.ts';
import type { LegOfPair } from './pairs.ts';

/** An m-line that can be recorded. */
export type WantedLine = Pick<RecordedLine, 'index' | 'kind' | 'label'>;

/** An INVITE as the story reads it. */
export type Call = {
  readonly info: RequestInfo;
  readonly invitation: Invitation;
  readonly type: ControllerType;
  /** We place it. */
  readonly isOurs?: boolean;
  /** Which leg of which pair it is, where it comes in two dialogs. */
  readonly pair: LegOfPair | undefined;
  /** A rule of the pilot's leaves the video of a direct call out. */
  readonly audioOnly: boolean;
  /** What may be taken of the encryption it offers. */
  readonly srtp: SrtpPolicy;
  readonly lines: readonly WantedLine[];
  /** Streams that its session takes: of a pair, those of both legs. */
  readonly weight: number;
};

/** Where the peer leaves the offer to us, there is one stream in a dialog. */
const delayedOffer: readonly WantedLine[] = [{ index: 0, kind: 'audio', label: undefined }];

/** The m-lines of a request that can be recorded. */
export const wantedLines = (
  { offer }: Invitation,
  audioOnly: boolean,
  srtp: SrtpPolicy,
): readonly WantedLine[] =>
  offer?.media.flatMap((line) =>
    line.kind !== 'other' && wantsPort(line, srtp) && !(audioOnly && line.kind === 'video')
      ? [{ index: line.index, kind: line.kind, label: line.label }]
      : [],
  ) ?? delayedOffer;

/** The pilot may know better by what the legs of a call pair: it told so when it sent them. */
const pairOf = (
  { status }: Pick<CaptureNode, 'status'>,
  info: RequestInfo,
  { bib }: Invitation,
): LegOfPair | undefined => {
  if (!bib) return undefined;
  const key = status.pairingKeyOf(info.callId) ?? bibPairingKey(bib, info.source.address);

  return key === undefined ? undefined : { key, trackNumber: bibTrackNumber(bib) };
};

/** Why none of its lines could be taken, where their encryption is the reason. */
export const encryptionObstacle = ({
  invitation: { offer },
  srtp,
}: Pick<Call, 'invitation' | 'srtp'>): ProtectionRefusal | undefined => {
  for (const line of offer?.media ?? []) {
    const protection = protectionOf(line, srtp);
    if (line.port > 0 && protection.kind === 'refused') return protection.reason;
  }

  return undefined;
};

export const readCall = (node: Pick<CaptureNode, 'status' | 'config'>, info: RequestInfo): Call => {
  const invitation = readInvite(info);
  const type = classifyInvite(invitation.marks);
  const audioOnly = type === 'direct' && wantsAudioOnly(parseUri(info.requestUri).parameters);
  const srtp = srtpPolicyFor(node.config, info);
  const lines = wantedLines(invitation, audioOnly, srtp);
  const pair = type === 'cucm' ? pairOf(node, info, invitation) : undefined;
  const weight = weightOf(lines.map(({ kind }) => kind));

  return { info, invitation, type, pair, audioOnly, srtp, lines, weight: pair ? 2 * weight : weight };
};

/** Value of the Contact header towards whoever sent this request; a SIPREC peer is told what we are (RFC 7866 §6). */
export const contactTowards = (node: CaptureNode, info: RequestInfo, type: ControllerType): string => {
  const host = addressTowards(node, info);
  const uri = formatUri({
    user: undefined,
    host,
    port: portTowards(node, info),
    transport: info.source.transport,
  });

  return type === 'siprec' ? `<${uri}>;+sip.srs` : `<${uri}>`;
};

/** None are named: then all count. */
const someOf = (recorded: ReadonlySet<string>): ReadonlySet<string> | undefined =>
  recorded.size === 0 ? undefined : recorded;

/** The port that is set for UDP and TCP, where one is; TLS has its own. */
const portTowards = ({ config, status }: CaptureNode, { source, receivedOn }: RequestInfo): number => {
  const isSet = config.sipPort > 0 && source.transport !== 'tls';

  return (isSet ? config.sipPort : receivedOn?.port) ?? status.sipPort;
};

/** What a request says of who is on the call. Metadata is that of the whole dialog so far. */
export const saidIn = (
  { info, invitation, type }: Pick<Call, 'info' | 'invitation' | 'type'>,
  metadata: Metadata | undefined,
  recorded: ReadonlySet<string> = new Set(),
): Said => ({
  type,
  from: info.from,
  byLabel: metadata ? participantsByLabel(metadata, someOf(recorded)) : new Map(),
  inOrder: metadata ? participantsInOrder(metadata, someOf(recorded)) : [],
  cubeParticipants: invitation.cubeParticipants,
  bib: invitation.bib,
});

/** What was odd about a request, and about what its leg has become by it. */
export const oddIn = (
  invitation: Invitation,
  leg: Pick<Leg, 'type' | 'audioOnly' | 'metadata' | 'lines' | 'lineAt'>,
): readonly SessionFlag[] =>
  oddities(invitation, {
    isSiprec: leg.type === 'siprec',
    metadata: leg.metadata,
    isGappy: leg.metadata !== undefined && undescribed(leg.metadata).length > 0,
    lines: leg.lines
      .filter(({ isRemoved }) => !isRemoved)
      .map((line) => ({ label: line.label, codec: codecOf(line).name })),
    refused:
      invitation.offer?.media.some(
        ({ index, port, kind }) => port > 0 && !leg.lineAt(index) && !(leg.audioOnly && kind === 'video'),
      ) ?? false,
  });

/** The codec of a line: the first agreed that carries media, or the first of ours as long as nothing is agreed. */
const codecOf = ({ codecs, kind }: RecordedLine): Codec => {
  const [ours] = kind === 'video' ? offeredVideo : offeredAudio;
  const codec = codecs.find(carriesMedia) ?? codecs[0] ?? ours;
  if (!codec) throw new Error('no codec is offered');

  return codec;
};

/** A session's tracks after what was agreed in a leg, and heard of its participants (undefined: nothing new). */
export const tracksAfter = (
  before: readonly Track[],
  leg: Leg,
  said: Said | undefined,
  now: string,
): readonly Track[] => {
  const known = before.map((track) => {
    const line = leg.lines.find(({ trackNumber }) => trackNumber === track.trackNumber);
    if (leg.lines.some(({ follows }) => follows === track.trackNumber)) return closedTrack(track, now);
    const named = line ? said && participantsOn(said, line, now) : onOtherLeg(said, track, now);
    const spoken = line
      ? withEncryption(withCodec(track, codecOf(line), now), leg.encryption.nameAt(line.index))
      : track;

    return {
      ...spoken,
      ...(line?.label === undefined ? {} : { label: line.label }),
      participants: named ? mergeParticipants(track.participants, named, now) : track.participants,
    };
  });
  const added = leg.lines.filter((line) =>
    before.every(({ trackNumber }) => trackNumber !== line.trackNumber),
  );

  return [
    ...known,
    ...added.map((line) =>
      trackOf(leg, line, said ? participantsOn(said, line, now) : heardBefore(line, before), now),
    ),
  ];
};

/** Whoever was heard on the track that a line was before. */
const heardBefore = ({ follows }: RecordedLine, tracks: readonly Track[]): readonly Participant[] =>
  tracks
    .find(({ trackNumber }) => trackNumber === follows)
    ?.participants.filter(({ leftAt }) => leftAt === undefined) ?? [];

/** A leg of a pair names the far end as well as the near one: news of either is for the other leg's track, too. */
const onOtherLeg = (
  said: Said | undefined,
  { trackNumber, endedAt }: Track,
  now: string,
): readonly Participant[] | undefined =>
  said?.bib && endedAt === undefined ? participantsOfPair(said.bib, trackNumber, now) : undefined;

/** Lines that are on hold from the beginning. */
export const heldFrom = (leg: Leg, at: string): readonly SystemTag[] =>
  leg.lines
    .filter(({ isActive }) => !isActive)
    .map(({ trackNumber }) => ({ name: 'TrackInactive', type: 'system', at, offsetMs: 0, trackNumber }));

const trackOf = (leg: Leg, line: RecordedLine, participants: readonly Participant[], now: string): Track =>
  newTrack(
    {
      encryption: leg.encryption.nameAt(line.index),
      trackNumber: line.trackNumber,
      mediaType: line.kind,
      label: line.label,
      codec: codecOf(line),
      participants,
    },
    now,
  );
