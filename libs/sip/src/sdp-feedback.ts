import type { Codec, Feedback, MediaLine } from './sdp.ts';

/** What we may ask a sender of video for: a new picture, in one of two ways (RFC 4585 §6.3.1, RFC 5104 §4.3.1). */
export type AgreedFeedback = {
  readonly pli: boolean;
  readonly fir: boolean;
  /** As it stands in our description. */
  readonly lines: readonly Feedback[];
};

const spoken = ['nack pli', 'ccm fir'] as const;

export const offeredFeedback: readonly Feedback[] = spoken.map((kind) => ({ payloadType: '*', kind }));

/** RFC 4585 §4.2: of what the peer named, what we use; nothing that it did not name. Of video only. */
export const agreedFeedback = (
  { kind: media, feedback }: Pick<MediaLine, 'kind' | 'feedback'>,
  codecs: readonly Codec[],
): AgreedFeedback => {
  const lines = feedback.filter(
    ({ payloadType, kind }) =>
      media === 'video' &&
      spoken.some((known) => known === kind) &&
      (payloadType === '*' || codecs.some((codec) => codec.payloadType === payloadType)),
  );

  return {
    pli: lines.some(({ kind }) => kind === 'nack pli'),
    fir: lines.some(({ kind }) => kind === 'ccm fir'),
    lines,
  };
};
