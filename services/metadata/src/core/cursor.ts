/** Where a page of sessions ended: the next one begins after this session, in the order newest first. */
export type SessionCursor = { readonly startedAt: string; readonly sessionId: string };

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const time = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/** Writes a cursor as clients see it: opaque, safe in a URL. */
export const formatCursor = ({ startedAt, sessionId }: SessionCursor): string =>
  btoa(`${startedAt} ${sessionId}`).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

/** Reads what `formatCursor` wrote; undefined for anything else. */
export const parseCursor = (text: string): SessionCursor | undefined => {
  if (!/^[A-Za-z0-9_-]{1,200}$/.test(text)) return undefined;
  let plain: string;
  try {
    plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  } catch {
    return undefined;
  }
  const [startedAt = '', sessionId = '', ...rest] = plain.split(' ');

  return time.test(startedAt) && uuid.test(sessionId) && rest.length === 0
    ? { startedAt, sessionId }
    : undefined;
};
