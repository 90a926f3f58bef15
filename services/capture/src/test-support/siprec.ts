import assert from 'node:assert/strict';
import type { DomainEvent, EventOf } from '@reelstream/events';
import { Voice } from '@reelstream/testing/callers';
import { portsOf } from './offers.ts';

/** How a session ended. */
export const endOf = (events: readonly DomainEvent[]): EventOf<'session.ended'>['data'] => {
  const ended = events.find((event): event is EventOf<'session.ended'> => event.type === 'session.ended');
  assert.ok(ended, `no end among ${events.map(({ type }) => type).join(', ')}`);

  return ended.data;
};

/** Speaks on every port of an answer that is not refused. */
export const speak = async (sdp: string, packets = 5): Promise<void> => {
  for (const port of portsOf(sdp)) {
    if (port === 0) continue;
    using voice = new Voice(port, 0);
    await voice.say(packets);
  }
};

const recording = (mode: string, inner: string): string =>
  `<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>${mode}</datamode>${inner}</recording>`;
export const partial = (inner: string): string => recording('partial', inner);
/** Metadata of the communication session, in RFC 7865's form. */
export const complete = (inner = ''): string => recording('complete', inner);

/** A communication session with a stream and a participant on each of the labels 1 and 2. */
export const call = (id: string, ...names: readonly string[]): string =>
  `<session session_id="${id}"/>${names
    .map(
      (name, index) =>
        `<participant participant_id="${name}"><nameID aor="sip:${name}@example.com"/></participant>` +
        `<stream stream_id="${id}-${index}" session_id="${id}"><label>${index + 1}</label></stream>` +
        `<participantstreamassoc participant_id="${name}"><send>${id}-${index}</send></participantstreamassoc>`,
    )
    .join('')}`;
