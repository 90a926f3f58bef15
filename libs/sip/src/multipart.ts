import { headerName } from './message.ts';

/** One part of a body, RFC 2046 §5.1. */
export type BodyPart = {
  /** Lower case, without parameters; `text/plain` where there is none (RFC 2046 §5.2). */
  readonly contentType: string;
  /** Content-Disposition's value in lower case, without parameters. */
  readonly disposition: string | undefined;
  readonly body: string;
};

export type Multipart = { readonly parts: readonly BodyPart[]; readonly problems: readonly string[] };

const mostParts = 32;
const mostDepth = 4;

const valueOf = (header: string): string => (header.split(';')[0] ?? '').trim().toLowerCase();

/** The boundary of a Content-Type: quoted or not, with or without parameters behind it. */
const boundaryOf = (contentType: string): string | undefined => {
  const match = /;\s*boundary\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/i.exec(contentType);
  const boundary = match?.[1]?.replace(/\\(.)/g, '$1') ?? match?.[2];

  return boundary === '' ? undefined : boundary;
};

/** Some clients forget the parameter: then the first line that looks like a delimiter tells. */
const guessBoundary = (body: string): string | undefined => /^--(\S{1,70})[ \t]*\r?$/m.exec(body)?.[1];

/**
 * Takes a body apart; nested multiparts are flattened, a plain body is one part. Tolerates what is met in the field:
 * bare line feeds, blanks behind a boundary, a missing last boundary. Never throws.
 */
export const parseBody = (contentType: string | undefined, body: string): Multipart => {
  const problems: string[] = [];
  const parts: BodyPart[] = [];
  collect(
    { contentType: contentType ?? 'text/plain', disposition: undefined, body },
    { parts, problems, depth: 0 },
  );

  return { parts, problems };
};

type Raw = { readonly contentType: string; readonly disposition: string | undefined; readonly body: string };
type Collecting = { readonly parts: BodyPart[]; readonly problems: string[]; readonly depth: number };

const collect = (raw: Raw, into: Collecting): void => {
  const contentType = valueOf(raw.contentType);
  if (!contentType.startsWith('multipart/')) {
    if (into.parts.length < mostParts && raw.body !== '') into.parts.push({ ...raw, contentType });

    return;
  }
  if (into.depth >= mostDepth) return void into.problems.push(`nested deeper than ${mostDepth} levels`);
  const named = boundaryOf(raw.contentType);
  const boundary = named ?? guessBoundary(raw.body);
  if (named === undefined) into.problems.push('multipart without a boundary parameter');
  const inner = boundary === undefined ? [] : split(raw.body, boundary, into.problems);
  // Not taken apart, it can still be told by its looks.
  if (inner.length === 0) return collect({ ...raw, contentType: 'text/plain' }, into);
  if (inner.length + into.parts.length > mostParts) into.problems.push(`more than ${mostParts} parts`);
  for (const text of inner.slice(0, mostParts)) collect(readPart(text), { ...into, depth: into.depth + 1 });
};

/** The texts between delimiter lines; preamble and epilogue are left out. */
const split = (body: string, boundary: string, problems: string[]): string[] => {
  const texts: string[] = [];
  let start: number | undefined;
  let cursor = 0;
  while (cursor < body.length) {
    const feed = body.indexOf('\n', cursor);
    const next = feed < 0 ? body.length : feed + 1;
    const line = body.slice(cursor, next).trimEnd();
    const isEnd = line === `--${boundary}--`;
    if (isEnd || line === `--${boundary}`) {
      // The line break before a delimiter belongs to the delimiter.
      if (start !== undefined) texts.push(body.slice(start, Math.max(start, cursor)).replace(/\r?\n$/, ''));
      start = next;
      if (isEnd) return texts;
    }
    cursor = next;
  }
  if (start === undefined) problems.push(`boundary ${boundary} does not occur`);
  else {
    problems.push('the last boundary is missing');
    texts.push(body.slice(start));
  }

  return texts;
};

const headerLine = /^([!-9;-~]+)[ \t]*:[ \t]*(.*)$/;

/** Headers up to the first empty line; a part that begins with something else has none. */
const readPart = (text: string): Raw => {
  const headers = new Map<string, string>();
  let cursor = 0;
  let last = '';
  while (cursor < text.length) {
    const feed = text.indexOf('\n', cursor);
    const next = feed < 0 ? text.length : feed + 1;
    const line = text.slice(cursor, next).replace(/\r?\n$/, '');
    if (line === '') {
      cursor = next;
      break;
    }
    const match = headerLine.exec(line);
    if (match) {
      last = headerName(match[1] ?? '');
      headers.set(last, (match[2] ?? '').trim());
    } else if (/^[ \t]/.test(line) && last !== '') headers.set(last, `${headers.get(last)} ${line.trim()}`);
    else break;
    cursor = next;
  }
  const disposition = headers.get('content-disposition');

  return {
    contentType: headers.get('content-type') ?? 'text/plain',
    disposition: disposition === undefined ? undefined : valueOf(disposition),
    body: text.slice(cursor),
  };
};
