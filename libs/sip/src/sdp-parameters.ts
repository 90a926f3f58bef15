import type { Codec } from './sdp.ts';

type Parameter = { readonly name: string; readonly text: string };

const parametersIn = (text: string): Parameter[] =>
  text
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => ({ name: (part.split('=')[0] ?? '').trim().toLowerCase(), text: part }));

const only = (parameters: readonly Parameter[], names: readonly string[]): string =>
  parameters
    .filter(({ name }) => names.includes(name))
    .map(({ text }) => text)
    .join(';');

/** RFC 6184 §8.2.2: profile, level and mode are the same in both directions; the rest speaks of who says it. */
const h264 = ['profile-level-id', 'packetization-mode', 'level-asymmetry-allowed'];

/**
 * RFC 7587 §7.1: every parameter tells what its sender likes to receive, but `sprop-stereo` what it may send. So two
 * channels are asked for where two may come.
 */
const opus = (parameters: readonly Parameter[]): string =>
  [
    ...(parameters.some(({ text }) => /^useinbandfec\s*=\s*1$/i.test(text)) ? ['useinbandfec=1'] : []),
    ...(parameters.some(({ text }) => /^sprop-stereo\s*=\s*1$/i.test(text)) ? ['stereo=1'] : []),
  ].join(';');

/**
 * The `a=fmtp` by which we, who only receive, describe a codec that a peer described by `parameters`. What configures the
 * payload type goes back as it came: G.729 `annexb` (RFC 4856 §2.1.9), AMR `octet-align`, `mode-set` and the others of
 * RFC 4867 §8.3, iLBC `mode` (RFC 3952 §4.2), `config` of MP4A-LATM (RFC 6416 §7.3), events (RFC 4733 §2.4.1), and those
 * of codecs that we don't know. What a peer says of its own stream (`sprop-…`), or of what it can receive, does not.
 */
export const ourParameters = ({ name, parameters }: Codec): string | undefined => {
  if (parameters === undefined) return undefined;
  const given = parametersIn(parameters);
  switch (name.toUpperCase()) {
    case 'H264':
      return only(given, h264) || undefined;
    // RFC 7741 §6.1: limits of the receiver, and we have none.
    case 'VP8':
      return undefined;
    case 'OPUS':
      return opus(given) || undefined;
    default:
      return given.some((parameter) => parameter.name.startsWith('sprop-'))
        ? given
            .filter((parameter) => !parameter.name.startsWith('sprop-'))
            .map(({ text }) => text)
            .join(';') || undefined
        : parameters;
  }
};
