import type { Rule, RuleAction, RuleMatch } from '@reelstream/events';

/** What a call does that no rule speaks of, as long as nobody has changed it. */
export const builtInDefault: RuleAction = { kind: 'record', media: 'audio-video' };

/** A rule's match as text, the same for the same calls: what its id is derived from. */
export const matchKey = (match: RuleMatch): string =>
  match.kind === 'default' ? 'default' : `${match.kind}:${match.user}`;

/** Rules in the form in which calls are looked up. */
export type RuleBook = {
  readonly exact: ReadonlyMap<string, Rule>;
  readonly prefixes: ReadonlyMap<string, Rule>;
  readonly longestPrefix: number;
  readonly fallback: Rule;
};

/** `defaultRuleId` is the id of the default rule, which there is whether or not somebody has written it. */
export const compileRules = (rules: readonly Rule[], defaultRuleId: string): RuleBook => {
  const exact = new Map<string, Rule>();
  const prefixes = new Map<string, Rule>();
  let longestPrefix = 0;
  let fallback: Rule = { ruleId: defaultRuleId, match: { kind: 'default' }, action: builtInDefault };
  for (const rule of rules) {
    const { match } = rule;
    if (match.kind === 'default') fallback = rule;
    else if (match.kind === 'exact') exact.set(match.user, rule);
    else {
      prefixes.set(match.user, rule);
      longestPrefix = Math.max(longestPrefix, match.user.length);
    }
  }

  return { exact, prefixes, longestPrefix, fallback };
};

/**
 * The rule for a dialled user: exact beats prefix, the longest prefix wins, and what none matches (or nobody was
 * dialled) falls to the default. Users are compared as written: RFC 3261 §19.1.4 tells cases apart in user parts.
 */
export const ruleFor = (book: RuleBook, dialledUser: string | undefined): Rule => {
  if (dialledUser === undefined) return book.fallback;
  const exact = book.exact.get(dialledUser);
  if (exact) return exact;
  for (let length = Math.min(dialledUser.length, book.longestPrefix); length > 0; length -= 1) {
    const rule = book.prefixes.get(dialledUser.slice(0, length));
    if (rule) return rule;
  }

  return book.fallback;
};
