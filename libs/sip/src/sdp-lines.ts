import { mostMediaRead, readLine } from './sdp.ts';
import type { MediaLine, Sdp } from './sdp.ts';

/** What an SDP asks for, without what one would have to know to take it. */
export type MediaLines = Pick<Sdp, 'problems'> & {
  readonly media: readonly Pick<MediaLine, 'kind' | 'port'>[];
};

const unread = { kind: 'other', port: 0 } as const;

/** Reads the m-lines of an SDP alone, like `parseSdp` reads them: at a tenth of the cost. Never throws. */
export const readMediaLines = (text: string): MediaLines => {
  const problems: string[] = [];
  const media: Pick<MediaLine, 'kind' | 'port'>[] = [];
  if (!/^[\r\n]*v=/.test(text)) problems.push('does not begin with v=');
  for (const [line] of text.matchAll(/(?<![^\r\n])m=[^\r\n]*/g)) {
    const read = media.length < mostMediaRead ? readLine(line) : unread;
    if (!read) problems.push(`m-line ${media.length} can't be read`);
    const { kind, port } = read ?? unread;
    media.push({ kind, port });
  }
  if (media.length === 0) problems.push('has no media');
  if (media.length > mostMediaRead) problems.push(`has ${media.length} media, read are ${mostMediaRead}`);

  return { media, problems };
};
