import { ruleFor, weightOf } from '@reelstream/domain';
import type { RuleBook } from '@reelstream/domain';
import type { InviteGlance } from '@reelstream/sip';
import type { Call } from './call.ts';

/** Why nobody can say what kind of call this is; undefined for one that is plain enough. */
const mystery = ({ dialledUser, problems }: Call, { offer, parts }: InviteGlance): string | undefined => {
  if (dialledUser === undefined) return 'no user was dialled';
  if (parts.length > 0 && !offer) return problems[0] ?? 'a body without an offer';

  return undefined;
};

const audioIn = ({ offer }: InviteGlance): number =>
  offer?.media.filter(({ kind, port }) => kind === 'audio' && port !== 0).length ?? 1;

/**
 * A direct call with the rule it falls under; what can't be classified falls under the default. Calls that controllers
 * send for recording are recorded, whoever was dialled.
 */
export const underRule = (call: Call, invitation: InviteGlance, rules: RuleBook): Call => {
  if (call.type !== 'direct') return call;
  const unclassified = mystery(call, invitation);
  const rule = unclassified === undefined ? ruleFor(rules, call.dialledUser) : rules.fallback;
  const { action } = rule;
  const audioOnly = action.kind === 'record' && action.media === 'audio';

  return {
    ...call,
    rule,
    ...(unclassified === undefined ? {} : { unclassified }),
    weight: audioOnly
      ? Math.max(1, weightOf(Array.from({ length: audioIn(invitation) }, () => 'audio')))
      : call.weight,
  };
};
