import type { Bus } from '@reelstream/bus';
import { Query, querySubject } from '@reelstream/events';
import type { CallPlacement, ExplainReply, HomeSeen } from '@reelstream/events';
import { Compile } from 'typebox/compile';
import type { Call } from './core/call.ts';
import type { Verdict } from './core/decide.ts';
import type { Pilot } from './state.ts';

const validQuery = Compile(Query);

/** Answers what `reel explain` asks of this pilot. Returns the end of it. */
export const answerQueries = (pilot: Pilot, bus: Pick<Bus, 'subscribe'>): (() => void) =>
  bus.subscribe(querySubject(pilot.nodeId), ({ data, reply }) => {
    if (!validQuery.Check(data)) throw new Error('no query');
    const answer: ExplainReply = { placements: [...pilot.memory.of(data.callId)] };
    reply(answer);
  });

/** What was decided of a call: how it goes, and with which answer if it is refused. */
export type Decided = { readonly verdict: Verdict; readonly status?: number };

/** Says in the log, the metrics and this pilot's memory what became of a call, and why. */
export const tellPlacement = (pilot: Pilot, call: Call, { verdict, status }: Decided): void => {
  const { callId, type, key, weight, controllerAddress, rule, unclassified } = call;
  const reason = reasonOf(pilot, call, verdict);
  const homes = verdict.action === 'refuse' ? [] : verdict.homes;
  pilot.meters.count(`call.${verdict.action}`, reason);
  if (rule) pilot.meters.count(`call.rule.${rule.action.kind}`);
  if (unclassified !== undefined) pilot.meters.count('call.unclassified', unclassified);
  const ruled = rule ? { rule: rule.ruleId, ruleAction: rule.action } : {};
  const said = { callId, type, key, weight, controllerAddress, ...ruled, unclassified, homes, reason };
  pilot.logger.info({ ...said, problems: call.problems }, `call.${verdict.action}`);
  const waits = verdict.action === 'redirect' && pilot.bus.connected;
  pilot.memory.add({
    ...describe(pilot, call),
    action: verdict.action,
    reason,
    ...(status === undefined ? {} : { status }),
    considered: consider(pilot, homes),
    homes: [...homes],
    outcome: waits ? 'open' : 'none',
  });
};

/** Longer ones are cut: nothing legitimate comes near, and there are thousands of these in memory. */
const mostCharacters = 512;
const mostProblems = 8;

const describe = (pilot: Pilot, call: Call) => ({
  pilot: pilot.nodeId,
  at: new Date().toISOString(),
  callId: call.callId,
  controllerAddress: call.controllerAddress,
  type: call.type,
  ...(call.unclassified === undefined ? {} : { unclassified: call.unclassified }),
  ...(call.dialledUser === undefined ? {} : { dialledUser: call.dialledUser.slice(0, mostCharacters) }),
  weight: call.weight,
  problems: call.problems.slice(0, mostProblems).map((problem) => problem.slice(0, mostCharacters)),
  ...(call.rule ? { rule: ruleShown(call.rule) } : {}),
  profile: {
    profile: call.profile?.profile ?? {},
    ...(call.profile?.network === undefined
      ? {}
      : { network: call.profile.network, source: call.profile.source }),
  },
});

const ruleShown = ({
  ruleId,
  match,
  action,
}: NonNullable<Call['rule']>): NonNullable<CallPlacement['rule']> => ({
  ruleId,
  matched: match.kind === 'default' ? 'default' : `${match.kind} ${match.user}`,
  action,
});

const reasonOf = (pilot: Pilot, call: Call, verdict: Verdict): string => {
  if (verdict.action === 'refuse') return verdict.cause;
  const how = call.paired ? 'where both legs of the pair go' : 'the least full of the six its key draws';
  if (verdict.action === 'redirect') return how;
  const why =
    call.followsRedirect === false
      ? `the profile of ${call.profile?.network ?? call.controllerAddress} says it follows no redirect`
      : 'its last three redirects were lost';

  return `${how}; forwarded because ${why}`;
};

/** A view of a large cluster would fill the memory: those pointed to, and some others. */
const mostConsidered = 8;

const consider = (pilot: Pilot, homes: readonly string[]): HomeSeen[] => {
  const known = pilot.cluster.homes;
  const chosen: HomeSeen[] = homes.flatMap((id) => known.node(id) ?? []);
  for (let index = 0; index < known.size && chosen.length < mostConsidered; index += 1) {
    const other = known.at(index);
    if (other && !homes.includes(other.nodeId)) chosen.push(other);
  }

  return chosen;
};
