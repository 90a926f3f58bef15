import Type from 'typebox';
import { derivedId } from './ids.ts';
import { Name, Uuid } from './primitives.ts';

/** What pilots and homes tell each other of calls that come in two dialogs (a phone's built-in bridge). */
export const pairsBucket = 'pairs';
/** Longer than two legs of one call are ever apart. */
export const pairsMaxAgeMs = 300_000;

/** A pairing key as part of a bucket's key, which takes few characters and no length: hashed. */
const pairId = (pairingKey: string): string => derivedId('pair', pairingKey);

/** Written once, by the pilot that got a leg first: its homes are those of both legs. */
export const pairListKey = (pairingKey: string): string => `${pairId(pairingKey)}.list`;
export const PairList = Type.Object({ homes: Type.Array(Name, { description: 'node ids, best first' }) });
export type PairList = Type.Static<typeof PairList>;

/**
 * `pairs`, a plain message: where a pilot has just sent a leg. It outruns the bucket, and a bucket whose leader died: what
 * one pilot has done the others do too.
 */
export const pairsSubject = 'pairs';
export const PairSent = Type.Object({ pilot: Name, pairingKey: Type.String(), homes: Type.Array(Name) });
export type PairSent = Type.Static<typeof PairSent>;

/** Written once, by the home that took a leg first; taken back when its session is over. */
export const pairHomeKey = (pairingKey: string): string => `${pairId(pairingKey)}.home`;
export const PairHome = Type.Object({ home: Name });
export type PairHome = Type.Static<typeof PairHome>;

/** Which session was the last one of a call, whoever its home: a call that is resumed after a hold goes on from there. */
export const pairSessionsBucket = 'pair-sessions';
/** From the end of that session. Longer than anybody holds the line, and few enough entries to keep. */
export const pairSessionsMaxAgeMs = 3_600_000;
export const pairSessionKey = (pairingKey: string): string => pairId(pairingKey);
export const PairSession = Type.Object({ sessionId: Uuid });
export type PairSession = Type.Static<typeof PairSession>;
