import type { Command } from '../command.ts';
import { CliError } from '../errors.ts';
import { readLines } from '../lines.ts';

type EventLine = {
  readonly version?: number;
  /** Of a tag. */
  readonly id?: string;
  readonly place?: string;
  readonly problem: string;
};

type SessionLine = {
  readonly kind: 'session';
  readonly sessionId: string;
  readonly home?: string;
  readonly events: readonly EventLine[];
  readonly row?: string;
  readonly damagedBytes?: number;
  readonly files?: readonly { readonly name: string; readonly problem: string }[];
  readonly mended?: boolean;
};

/** An event that no home wrote. */
type OtherEventLine = {
  readonly kind: 'event';
  readonly mended?: boolean;
  readonly problem: string;
  /** In the stream, where nobody knows what was there. */
  readonly sequence?: number;
  readonly id?: string;
  readonly type?: string;
  readonly key?: string;
  readonly place?: string;
};

type RowLine = {
  readonly kind: 'row';
  readonly table: string;
  readonly key: string;
  readonly problem: string;
  readonly mended?: boolean;
};

type Summary = {
  readonly kind: 'summary';
  readonly sessions: number;
  readonly events: number;
  readonly otherEvents: number;
  readonly stream: {
    readonly messages: number;
    readonly repeats: number;
    readonly outOfOrder: number;
    readonly invalid: number;
  };
  readonly different: number;
  readonly mended: number;
  readonly homesAway: number;
};

type Line =
  | SessionLine
  | OtherEventLine
  | RowLine
  | Summary
  | { readonly kind: 'home'; readonly home: string; readonly sessions: number }
  | { readonly kind: 'failed'; readonly detail: string };

const eventText = ({ version, id, place, problem }: EventLine): string => {
  const what = version === undefined ? `event of the tag ${id}` : `event ${version}`;

  return place === undefined ? `${what} is in no place` : `${what} ${problem} in the ${place}`;
};

const endText = (mended: boolean | undefined): string =>
  mended === undefined ? '' : mended ? ' (mended)' : ' (NOT mended)';

export const otherEventText = (line: OtherEventLine): string => {
  const { id, type, key, sequence, place, problem, mended } = line;
  const what = id === undefined ? `message ${sequence} of the stream` : `${type} of ${key} (${id})`;
  const wrong = place === undefined ? 'is in no place any more' : `${problem} in the ${place}`;

  return `${what}  ${wrong}${endText(mended)}`;
};

export const rowText = ({ table, key, problem, mended }: RowLine): string => {
  const wrong = problem === 'unfounded' ? 'no event speaks of it' : `${problem} in the database`;

  return `${table} ${key}  ${wrong}${endText(mended)}`;
};

export const sessionText = (line: SessionLine): string => {
  const { sessionId, home, events, row, damagedBytes, files = [], mended } = line;
  const wrong = [
    ...events.map(eventText),
    ...(row === undefined ? [] : [`row ${row} in the database`]),
    ...(damagedBytes === undefined ? [] : [`${damagedBytes} bytes of the journal can't be read`]),
    ...files.map(({ name, problem }) => `${name} ${problem}`),
  ];

  return `${sessionId}  ${home ?? ''}  ${wrong.join('; ')}${endText(mended)}`;
};

const summaryTexts = ({ sessions, events, otherEvents, stream, different, mended }: Summary): string[] => [
  `${sessions} sessions with ${events} events, ${otherEvents} other events: ${different === 0 ? 'folders, stream and database are equal' : `${different} differ, ${mended} mended`}`,
  `The stream holds ${stream.messages} messages: ${stream.repeats} repeats, ${stream.outOfOrder} out of order, ${stream.invalid} that are no events`,
];

export const reconcileCommand: Command = {
  name: 'reconcile',
  summary: 'compare recording folders, stream and database',
  help: `Usage: reel reconcile [--mend] [--media] [--json]

Compares what is known of every session in three places: the journal in its folder, the stream, and the database
of the server that is asked; also the rows that follow from its events, and the files of its recording. What users,
nodes and watchdogs said (tags, rules, subscriptions, drained nodes …) is in no folder: that is compared between stream
and database. Prints each session, event and row that differs, and what is wrong with it where. Two places that agree
outvote the third; where none agree, the folder is believed before the stream, and that before the database. It may
run while calls do.

  --mend    put right what differs: events are put back into the journal, said again to the stream, written to
            the database; rows and manifests are made anew. With stream and database empty, all sessions come back
            from their folders
  --media   also read all media, and compare it with its hashes (by default its size is compared)
  --json    one line of JSON for whatever differs, and a last one with the figures

Exits 0 when everything is equal, or is so now since it was mended; 1 when something differs still, or the home
of some session is away and could not be asked.

Examples:
  reel reconcile
  reel reconcile --mend
  reel reconcile --json | jq 'select(.kind == "session") | .sessionId'
`,
  options: { mend: { type: 'boolean' }, media: { type: 'boolean' } },
  positionals: [0, 0],
  run: async ({ values, output, api, interrupted }) => {
    const response = await api.open('/reconcile', {
      method: 'POST',
      body: { mend: values['mend'] === true, media: values['media'] === true },
      accept: 'application/x-ndjson, application/problem+json',
      signal: interrupted,
    });
    let summary: Summary | undefined;
    if (response.body)
      for await (const text of readLines(response.body)) {
        const line = JSON.parse(text) as Line;
        if (line.kind === 'failed') throw new CliError(`it was broken off: ${line.detail}`);
        if (line.kind === 'summary') summary = line;
        if (output.json) output.value(line);
        else if (line.kind === 'session') output.line(sessionText(line));
        else if (line.kind === 'event') output.line(otherEventText(line));
        else if (line.kind === 'row') output.line(rowText(line));
        else if (line.kind === 'home')
          output.line(`${line.home} is away: the folders of its ${line.sessions} sessions were not compared`);
        else for (const said of summaryTexts(line)) output.line(said);
      }
    if (!summary) throw new CliError('it was broken off: the connection ended');
    const left = summary.different - summary.mended;
    if (left > 0) throw new CliError(`${left} differ`);
    if (summary.homesAway > 0) throw new CliError('not every home could be asked');
  },
};
