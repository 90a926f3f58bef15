/** One event of a stream of Server-Sent Events (HTML standard §9.2). */
export type ServerSentEvent = {
  readonly type: string;
  readonly data: string;
  readonly id: string | undefined;
};

/** Cuts a text stream into its events; comments and what has no data are left out. */
export async function* readServerSentEvents(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<ServerSentEvent> {
  const decoder = new TextDecoder();
  let pending = '';
  let lines: string[] = [];
  for await (const chunk of chunks) {
    pending += decoder.decode(chunk, { stream: true });
    // A carriage return at the very end may be the first half of a line end.
    const ends = pending.endsWith('\r') ? pending.slice(0, -1) : pending;
    const parts = ends.split(/\r\n|\n|\r/);
    pending = (parts.pop() ?? '') + pending.slice(ends.length);
    for (const line of parts) {
      if (line !== '') lines.push(line);
      else {
        const event = parseEvent(lines);
        lines = [];
        if (event) yield event;
      }
    }
  }
}

const parseEvent = (lines: readonly string[]): ServerSentEvent | undefined => {
  const fields = lines.map((line) => {
    const colon = line.indexOf(':');

    return colon < 0
      ? ([line, ''] as const)
      : ([line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')] as const);
  });
  const last = (name: string): string | undefined => fields.findLast(([field]) => field === name)?.[1];
  const data = fields.filter(([field]) => field === 'data').map(([, value]) => value);

  return data.length === 0
    ? undefined
    : { type: last('event') ?? 'message', data: data.join('\n'), id: last('id') };
};
