import type { ControllerType, Participant } from '@reelstream/events';
import type { BibLegInfo, CubeParticipant, NameAddr, StreamParticipant } from '@reelstream/sip';

/** What a controller has said of who is on the call: each kind has its own way. */
export type Said = {
  readonly type: ControllerType;
  readonly from: Pick<NameAddr, 'uri' | 'displayName'>;
  /** SIPREC: by the label of the stream on which they are heard. */
  readonly byLabel: ReadonlyMap<string, readonly StreamParticipant[]>;
  /** SIPREC where no label can tell: by the place of the stream. */
  readonly inOrder: readonly (readonly StreamParticipant[])[];
  readonly cubeParticipants: readonly CubeParticipant[];
  readonly bib: BibLegInfo | undefined;
};

type Party = Omit<Participant, 'joinedAt'> & { readonly joinedAt?: string };

/** Every event carries all of it: what a hostile controller makes up must not outgrow a message of the bus. */
const mostParticipants = 100;
const longestText = 256;

const clip = (value: unknown): unknown => (typeof value === 'string' ? value.slice(0, longestText) : value);

/** Leaves out what is unknown: an event has no empty fields. */
const known = <T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== undefined && value !== '')
      .map(([key, value]) => [key, clip(value)]),
  ) as { [K in keyof T]?: Exclude<T[K], undefined> };

const streamParty = ({ address, name, joinedAt, leftAt }: StreamParticipant): Party =>
  known({ address, name, joinedAt, leftAt });

/** The near end forks: its own voice is on one leg, what it hears on the other. */
const bibParty = (leg: BibLegInfo, side: BibLegInfo['side']): Party =>
  side === 'near'
    ? known({ address: leg.nearEndAddress, deviceId: leg.nearEndDevice, xRefCi: leg.refCi })
    : known({
        address: leg.farEndAddress,
        deviceId: leg.farEndDevice,
        xRefCi: leg.farEndRefCi,
        isConference: leg.isConference ? true : undefined,
      });

/** Each leg names both ends: who is heard on the other's track, 0 from the phone and 1 to it; undefined for any other. */
export const participantsOfPair = (
  leg: BibLegInfo,
  trackNumber: number,
  now: string,
): readonly Participant[] | undefined =>
  trackNumber > 1 ? undefined : [{ ...bibParty(leg, trackNumber === 0 ? 'near' : 'far'), joinedAt: now }];

const partiesOn = (
  said: Said,
  line: { readonly index: number; readonly label: string | undefined },
): readonly Party[] => {
  switch (said.type) {
    case 'siprec':
      return (said.byLabel.get(line.label ?? '') ?? said.inOrder[line.index] ?? []).map(streamParty);
    case 'cube':
      return said.cubeParticipants
        .filter(({ mediaIndexes }) => mediaIndexes.includes(line.index))
        .map(({ uri }) => known({ address: uri }));
    case 'cucm':
      return said.bib ? [bibParty(said.bib, said.bib.side)] : [];
    case 'direct':
      return [known({ address: said.from.uri, name: said.from.displayName })];
  }
};

/** Who is heard on an m-line; whoever is named without a time joined now. */
export const participantsOn = (
  said: Said,
  line: { readonly index: number; readonly label: string | undefined },
  now: string,
): readonly Participant[] =>
  partiesOn(said, line)
    .slice(0, mostParticipants)
    .map((party) => ({ ...party, joinedAt: party.joinedAt ?? now }));

/** Unified CM writes one device in either case. */
const identity = ({ address, name, deviceId, xRefCi, isConference }: Participant): string =>
  JSON.stringify([address, name, deviceId?.toLowerCase(), xRefCi, isConference]);

/** Who left and comes again is heard from then on anew. */
const isBack = (known: Participant, news: Participant): boolean =>
  known.leftAt !== undefined && news.leftAt === undefined && news.joinedAt > known.leftAt;

/**
 * The participants of a track after news of it: who is no longer named has left; who was known keeps their times. Of very
 * many, those that came last are kept.
 */
export const mergeParticipants = (
  before: readonly Participant[],
  named: readonly Participant[],
  now: string,
): Participant[] => {
  /** Of somebody who came several times, the last time is what news are about. */
  const last = new Map(before.map((participant) => [identity(participant), participant]));
  const newsOf = (participant: Participant): Participant | undefined =>
    last.get(identity(participant)) === participant
      ? named.find((other) => identity(other) === identity(participant) && !isBack(participant, other))
      : undefined;
  const merged = before.map((participant) => {
    const news = newsOf(participant);
    const leftAt = news ? news.leftAt : (participant.leftAt ?? now);
    const { leftAt: _before, ...rest } = participant;

    return leftAt === undefined ? rest : { ...rest, leftAt };
  });
  const come = named.filter((other) => {
    const known = last.get(identity(other));

    return known === undefined || isBack(known, other);
  });

  return [...merged, ...come].slice(-mostParticipants);
};
