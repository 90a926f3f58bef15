import { watchSlowFacts } from '@reelstream/bus';
import type { Bus, SlowFactView } from '@reelstream/bus';
import { compileProfiles, compileRules } from '@reelstream/domain';
import type { ControllerDescription, ProfileBook, RuleBook } from '@reelstream/domain';
import { ControllerEntry, Rule } from '@reelstream/events';
import { Compile } from 'typebox/compile';

const isRule = Compile(Rule);
const isEntry = Compile(ControllerEntry);

/** What operators have set, as this pilot last saw it; while the bus is away it stays in force. */
export class Settings implements Disposable {
  readonly #nodeId: string;
  readonly #inFile: readonly ControllerDescription[];
  #views: readonly SlowFactView[] = [];
  #rules = compileRules([]);
  #profiles: ProfileBook;
  #isDrained = false;

  private constructor(nodeId: string, inFile: readonly ControllerDescription[]) {
    this.#nodeId = nodeId;
    this.#inFile = inFile;
    this.#profiles = compileProfiles(inFile);
  }

  /** Resolves once the buckets were read, or after a second: a pilot serves without them rather than not at all. */
  static async follow(bus: Bus, nodeId: string, inFile: readonly ControllerDescription[]): Promise<Settings> {
    const settings = new Settings(nodeId, inFile);
    const follow = (
      bucket: 'rules' | 'controllers' | 'drains',
      onChange: (current: ReadonlyMap<string, unknown>) => void,
    ) => watchSlowFacts(bus, bucket, { onChange });
    settings.#views = await Promise.all([
      follow('rules', (current) => settings.#takeRules(current)),
      follow('controllers', (current) => settings.#takeProfiles(current)),
      follow('drains', (current) => settings.#takeDrains(current)),
    ]);

    return settings;
  }

  get rules(): RuleBook {
    return this.#rules;
  }

  /** Those of the API over those of the file. */
  get profiles(): ProfileBook {
    return this.#profiles;
  }

  /** An operator has taken this pilot out. */
  get isDrained(): boolean {
    return this.#isDrained;
  }

  [Symbol.dispose](): void {
    for (const view of this.#views) view.stop();
  }

  #takeRules(current: ReadonlyMap<string, unknown>): void {
    this.#rules = compileRules(
      [...current.values()].flatMap((value) => (isRule.Check(value) ? [value] : [])),
    );
  }

  #takeProfiles(current: ReadonlyMap<string, unknown>): void {
    const inApi = [...current.values()].flatMap((value): ControllerDescription[] =>
      isEntry.Check(value) ? [{ network: value.network, profile: value.profile, source: 'api' }] : [],
    );
    this.#profiles = compileProfiles([...this.#inFile, ...inApi]);
  }

  #takeDrains(current: ReadonlyMap<string, unknown>): void {
    this.#isDrained = current.has(this.#nodeId);
  }
}
