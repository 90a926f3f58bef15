import { derivedId } from '@reelstream/events';
import type { Rule, RuleAction, RuleMatch } from '@reelstream/events';

/** What becomes of a call that no rule speaks of, as long as nobody has changed it. */
const builtInDefault: RuleAction = { kind: 'record', media: 'audio-video' };

const matchKey = (match: RuleMatch): string =>
  match.kind === 'default' ? 'default' : `${match.kind}:${match.user}`;

/** The id of the rule for these calls: whoever makes one for the same calls makes the same one. */
export const ruleIdOf = (match: RuleMatch): string => derivedId('rule', matchKey(match));

/** The rule that is there whether or not somebody has written it. */
export const defaultRule: Rule = {
  ruleId: ruleIdOf({ kind: 'default' }),
  match: { kind: 'default' },
  action: builtInDefault,
};

/** Rules in the form in which calls are looked up. */
export type RuleBook = {
  readonly exact: ReadonlyMap<string, Rule>;
  readonly prefixes: ReadonlyMap<string, Rule>;
  readonly longestPrefix: number;
  readonly fallback: Rule;
};

export const compileRules = (rules: readonly Rule[]): RuleBook => {
  const exact = new Map<string, Rule>();
  const prefixes = new Map<string, Rule>();
  let longestPrefix = 0;
  let fallback = defaultRule;
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

/** Parameter of a home's URI, by which a pilot passes on that a direct call is to be recorded without its video. */
export const audioOnlyParameter = 'reel-media=audio';

/** Whether a request URI with these parameters (names in lower case) asks for the audio alone. */
export const wantsAudioOnly = (uriParameters: Readonly<Record<string, string>>): boolean =>
  uriParameters['reel-media'] === 'audio';
