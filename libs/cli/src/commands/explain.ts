import type { Command } from '../command.ts';
import { formatTable } from '../table.ts';

type Home = {
  readonly nodeId: string;
  readonly state: string;
  readonly load: number;
  readonly reserved: number;
  readonly capacity: number;
};

/** What the command reads of an answer; the rest passes through untouched with --json. */
export type Explanation = {
  readonly callId: string;
  readonly placements: readonly {
    readonly pilot: string;
    readonly at: string;
    readonly controllerAddress: string;
    readonly type: string;
    readonly unclassified?: string;
    readonly dialledUser?: string;
    readonly weight: number;
    readonly problems: readonly string[];
    readonly rule?: { readonly matched: string; readonly action: Readonly<Record<string, unknown>> };
    readonly profile: { readonly network?: string; readonly source?: string; readonly profile: object };
    readonly action: string;
    readonly reason: string;
    readonly status?: number;
    readonly considered: readonly Home[];
    readonly homes: readonly string[];
    readonly outcome: string;
    readonly claimedBy?: string;
  }[];
  readonly pilots: { readonly silent: readonly string[] };
  readonly attempts: readonly {
    readonly type: string;
    readonly by: string;
    readonly at: string;
    readonly cause: string;
    readonly status?: number;
    readonly dialled?: string;
    readonly followed?: readonly string[];
  }[];
  readonly sessions: readonly {
    readonly sessionId: string;
    readonly home: string;
    readonly state: string;
    readonly startedAt: string;
    readonly endReason?: string;
    readonly tracks: number;
    readonly otherCallIds: readonly string[];
  }[];
};

type Placement = Explanation['placements'][number];

const wordsOf = (values: Readonly<Record<string, unknown>>): string => Object.values(values).join(' ');

const outcomeOf = ({ outcome, claimedBy }: Placement): string => {
  switch (outcome) {
    case 'claimed':
      return `${claimedBy ?? 'a home'} has seen it arrive`;
    case 'lost':
      return 'no home saw it arrive: the redirect was not followed in time';
    case 'cancelled':
      return 'the controller took it back';
    case 'open':
      return 'waiting for a home to see it arrive';
    default:
      return '';
  }
};

const wentOf = ({ action, homes, status }: Placement): string => {
  if (action === 'refuse') return `refused with ${status ?? '?'}`;

  return `${action === 'proxy' ? 'forwarded' : 'redirected'} to ${homes.join(', ')}`;
};

const homesOf = ({ considered, homes }: Placement): string[] => {
  if (considered.length === 0) return ['  no home was there'];
  const rows = considered.map(({ nodeId, state, load, reserved, capacity }) => {
    const place = homes.indexOf(nodeId);

    return [`  ${nodeId}`, state, `${load}+${reserved}/${capacity}`, place < 0 ? '' : `choice ${place + 1}`];
  });

  return formatTable(['  HOME', 'STATE', 'LOAD', ''], rows).split('\n');
};

const placementLines = (placement: Placement): string[] => {
  const { pilot, at, controllerAddress, type, unclassified, dialledUser, weight, rule, profile, problems } =
    placement;
  const network = profile.network === undefined ? [] : [`${profile.network} (${profile.source ?? '?'})`];
  const outcome = outcomeOf(placement);

  return [
    `${at}  ${pilot} ${wentOf(placement)}`,
    `  why         ${placement.reason}`,
    `  call        ${type} from ${controllerAddress}, dialled ${dialledUser ?? 'nobody'}, ${weight} streams`,
    ...(unclassified === undefined ? [] : [`  unclassified  ${unclassified}`]),
    ...(rule ? [`  rule        ${rule.matched}: ${wordsOf(rule.action)}`] : []),
    ...network.map((text) => `  profile     ${text} ${JSON.stringify(profile.profile)}`),
    ...(outcome === '' ? [] : [`  then        ${outcome}`]),
    ...problems.map((problem) => `  problem     ${problem}`),
    ...homesOf(placement),
  ];
};

/** The story of a call as lines. */
export const formatExplanation = ({ placements, pilots, attempts, sessions }: Explanation): string[] => [
  ...placements.flatMap((placement) => [...placementLines(placement), '']),
  ...(placements.length > 0 || attempts.some(({ dialled }) => dialled)
    ? []
    : ['No pilot remembers it: it was long ago, or they restarted since.', '']),
  ...pilots.silent.map((pilot) => `${pilot} did not answer`),
  ...attempts.flatMap(({ at, by, type, cause, status, dialled, followed = [] }) => [
    `${at}  ${by} ${type}: ${cause}${status === undefined ? '' : ` (${status})`}`,
    ...(dialled === undefined ? [] : [`  dialled     ${dialled}`]),
    ...followed.map((uri) => `  sent on to  ${uri}`),
  ]),
  ...sessions.flatMap(({ startedAt, home, sessionId, state, endReason, tracks, otherCallIds }) => [
    `${startedAt}  ${home} recorded session ${sessionId}: ${state}${endReason === undefined ? '' : ` (${endReason})`}, ${tracks} tracks`,
    ...otherCallIds.map((callId) => `  with call   ${callId}`),
  ]),
];

export const explainCommand: Command = {
  name: 'explain',
  summary: 'what was done with a call, and why',
  help: `Usage: reel explain CALL-ID [--json]

Tells what pilots did with the INVITEs of a call (rule, profile, homes considered and chosen, redirected or forwarded), why a
call was refused or lost, and in which session it was recorded. CALL-ID is the SIP header's value.

Examples:
  reel explain 6f1e2a@192.0.2.10
  reel explain 6f1e2a@192.0.2.10 --json | jq .placements
`,
  options: {},
  positionals: [1, 1],
  run: async ({ positionals: [callId = ''], output, api }) => {
    const explanation = await api.json<Explanation>(`/calls/${encodeURIComponent(callId)}/explanation`);
    if (output.json) return output.value(explanation);
    for (const line of formatExplanation(explanation)) output.line(line);
  },
};
