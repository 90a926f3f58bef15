import { watchSlowFacts } from '@reelstream/bus';
import type { Bus, SlowFactView } from '@reelstream/bus';
import { compileProfiles, compileRules } from '@reelstream/domain';
import type { ControllerDescription, ProfileBook, RuleBook } from '@reelstream/domain';
import { ControllerEntry, Rule } from '@reelstream/events';
import { Compile } from 'typebox/compile';

const isRule = Compile(Rule);
const isEntry = Compile(ControllerEntry);

/** As the bus tells it. */
export type Known = { readonly rules: Rule[]; readonly controllers: ControllerEntry[] };

/** What operators have set, as this pilot last saw it; while the bus is away it stays in force. */
export class Settings implements Disposable {
  readonly #nodeId: string;
  readonly #inFile: readonly ControllerDescription[];
  #views: readonly SlowFactView[] = [];
  #rules = compileRules([]);
  #profiles: ProfileBook;
  #isDrained = false;
  #known: Known = { rules: [], controllers: [] };

  private constructor(nodeId: string, inFile: readonly ControllerDescription[]) {
    this.#nodeId = nodeId;
    this.#inFile = inFile;
    this.#profiles = compileProfiles(inFile);
  }

  /**
   * Resolves once the buckets were read, or after a second: a pilot serves without them rather than not at all. Until the bus is there
   * what was known `before` is in force.
   */
  static async follow(
    bus: Bus,
    {
      nodeId,
      inFile,
      before,
    }: {
      readonly nodeId: string;
      readonly inFile: readonly ControllerDescription[];
      readonly before: Known | undefined;
    },
  ): Promise<Settings> {
    const settings = new Settings(nodeId, inFile);
    if (before) {
      settings.#takeRules(before.rules);
      settings.#takeProfiles(before.controllers);
    }
    const told =
      (take: (values: readonly unknown[]) => void) =>
      (current: ReadonlyMap<string, unknown>): void => {
        // A bucket that could not be read yet says nothing.
        if (current.size > 0 || bus.connected) take([...current.values()]);
      };
    const follow = (
      bucket: 'rules' | 'controllers' | 'drains',
      onChange: (current: ReadonlyMap<string, unknown>) => void,
    ) => watchSlowFacts(bus, bucket, { onChange });
    settings.#views = await Promise.all([
      follow(
        'rules',
        told((values) => settings.#takeRules(values)),
      ),
      follow(
        'controllers',
        told((values) => settings.#takeProfiles(values)),
      ),
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

  /** What the bus has told, for a later life. */
  get known(): Known {
    return this.#known;
  }

  /** An operator has taken this pilot out. */
  get isDrained(): boolean {
    return this.#isDrained;
  }

  [Symbol.dispose](): void {
    for (const view of this.#views) view.stop();
  }

  #takeRules(values: readonly unknown[]): void {
    const rules = values.flatMap((value) => (isRule.Check(value) ? [value] : []));
    this.#known = { ...this.#known, rules };
    this.#rules = compileRules(rules);
  }

  #takeProfiles(values: readonly unknown[]): void {
    const controllers = values.flatMap((value) => (isEntry.Check(value) ? [value] : []));
    this.#known = { ...this.#known, controllers };
    const inApi = controllers.map(({ network, profile }): ControllerDescription => ({
      network,
      profile,
      source: 'api',
    }));
    this.#profiles = compileProfiles([...this.#inFile, ...inApi]);
  }

  #takeDrains(current: ReadonlyMap<string, unknown>): void {
    this.#isDrained = current.has(this.#nodeId);
  }
}
