import { Balance } from './balance.ts';
import type { BalanceReport } from './balance.ts';
import { stepsPerSecond } from './clock.ts';
import { Cluster } from './cluster.ts';
import { SimulatedPilot } from './pilot.ts';
import { randomFrom } from '../../support/random.ts';
import type { Random } from '../../support/random.ts';
import { byShare, callKinds, meanCapacity, meanWeight } from './scenario.ts';
import type { CallKind, Scenario } from './scenario.ts';

export type Outcome = {
  readonly scenario: Scenario;
  readonly simulatedSeconds: number;
  readonly calls: number;
  /** Homes named that the deciding pilot had to know can't take the call. */
  readonly toIneligible: number;
  readonly pairs: number;
  /** Pairs whose legs would get another list from a pilot with the same view. */
  readonly splitInOneView: number;
  /** Pairs whose legs get different homes from two pilots with their own views; the claim unites them. */
  readonly splitBeforeClaim: number;
  /** Calls that their first home couldn't take: away, draining or full by then. */
  readonly movedOn: number;
  /** Calls that the pilot refused, as it knew of no home. */
  readonly refused: number;
  /** Calls that no home took in two rounds. */
  readonly failed: number;
  /** Just after it was filled, and from when it has settled. */
  readonly balanceAtFill: BalanceReport;
  readonly balance: BalanceReport;
};

/** Steps that a heartbeat is underway: 0 to 2, as it comes; of all messages one in a hundred is lost. */
const mostLag = 2;
const messageLoss = 0.01;

/** Plays a scenario to its end. */
export const simulate = (scenario: Scenario): Outcome => new Simulation(scenario).run();

class Simulation {
  readonly #scenario: Scenario;
  readonly #random: Random;
  readonly #cluster: Cluster;
  readonly #pilots: readonly SimulatedPilot[];
  readonly #balanceAtFill = new Balance();
  readonly #balance = new Balance();
  readonly #counts = {
    calls: 0,
    toIneligible: 0,
    pairs: 0,
    splitInOneView: 0,
    splitBeforeClaim: 0,
    movedOn: 0,
    refused: 0,
    failed: 0,
  };
  #step = 0;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#random = randomFrom(scenario.seed);
    this.#cluster = new Cluster(scenario, this.#random);
    this.#pilots = Array.from({ length: scenario.pilots }, () => new SimulatedPilot());
  }

  run(): Outcome {
    const { calls, fillSeconds, settleSeconds } = this.#scenario;
    // A second before the first call, in which pilots hear of the nodes.
    const firstCall = stepsPerSecond + mostLag;
    const filled = firstCall + fillSeconds * stepsPerSecond;
    const settled = filled + settleSeconds * stepsPerSecond;
    while (this.#counts.calls < calls) {
      this.#advance();
      if (this.#step >= firstCall) this.#takeCalls(this.#step < filled);
      if (this.#step >= filled && this.#step % stepsPerSecond === 0) {
        (this.#step < settled ? this.#balanceAtFill : this.#balance).look(this.#cluster.nodes);
      }
      this.#step += 1;
    }

    return {
      scenario: this.#scenario,
      simulatedSeconds: this.#step / stepsPerSecond,
      ...this.#counts,
      balanceAtFill: this.#balanceAtFill.report(),
      balance: this.#balance.report(),
    };
  }

  #advance(): void {
    this.#cluster.advance(this.#step);
    for (const heartbeat of this.#cluster.heartbeats(this.#step)) {
      for (const pilot of this.#pilots) {
        if (this.#random.next() < messageLoss) continue;
        pilot.send(heartbeat, this.#step + this.#random.below(mostLag + 1));
      }
    }
    for (const pilot of this.#pilots) pilot.advance(this.#step);
  }

  #takeCalls(isFilling: boolean): void {
    const { nodes, targetLoad, callSeconds, fillSeconds, calls } = this.#scenario;
    const perSecond = (nodes * meanCapacity * targetLoad) / meanWeight / callSeconds;
    // While it fills calls end already: so many more make the target in that time.
    const rush = isFilling ? 1 / (1 - Math.exp(-fillSeconds / callSeconds)) : 1;
    const due = this.#random.poisson((perSecond * rush) / stepsPerSecond);
    for (let call = 0; call < due && this.#counts.calls < calls; call += 1) {
      this.#counts.calls += 1;
      this.#take(`call-${this.#counts.calls}`, byShare<CallKind>(callKinds, this.#random.next()));
    }
  }

  #take(key: string, { kind, weight }: CallKind): void {
    const pilot = this.#anyPilot();
    if (kind === 'pair') this.#compareLegs(pilot, key, weight);
    const refusals: string[] = [];
    for (let round = 0; round < 2; round += 1) {
      const homes = this.#homesFrom(pilot, { key, weight, exclude: refusals });
      if (homes.length === 0 && round === 0) this.#counts.refused += 1;
      if (homes.length === 0) return;
      for (const home of homes) {
        if (this.#cluster.offer(home, weight, this.#step)) return;
        if (refusals.length === 0) this.#counts.movedOn += 1;
        refusals.push(home);
      }
    }
    this.#counts.failed += 1;
  }

  /** The pilot's list, which holds a place at the first of it. */
  #homesFrom(
    pilot: SimulatedPilot,
    call: { readonly key: string; readonly weight: number; readonly exclude: readonly string[] },
  ): readonly string[] {
    const { homes } = pilot.place(call);
    for (const home of homes) if (!pilot.believesAble(home, call)) this.#counts.toIneligible += 1;
    const [nodeId] = homes;
    // A call that comes again is reserved for anew.
    const reservationId = `${call.key}-${call.exclude.length}`;
    if (nodeId !== undefined) this.#reserve(pilot, { nodeId, reservationId, weight: call.weight });

    return homes;
  }

  #reserve(pilot: SimulatedPilot, reserved: Parameters<SimulatedPilot['reserve']>[0]): void {
    pilot.reserve(reserved);
    if (!this.#scenario.reservationsShared) return;
    for (const other of this.#pilots) {
      if (other !== pilot && this.#random.next() >= messageLoss)
        other.sendReservation(reserved, this.#step + 1);
    }
  }

  /** What two pilots say that get a leg each at the same moment, before either knows of the other. */
  #compareLegs(pilot: SimulatedPilot, key: string, weight: number): void {
    const { homes } = pilot.place({ key, weight });
    const twin = pilot.placeAsTwin({ key, weight }).homes;
    const other = this.#anyPilot().place({ key, weight }).homes;
    this.#counts.pairs += 1;
    if (homes.join() !== twin.join()) this.#counts.splitInOneView += 1;
    if (homes[0] !== other[0]) this.#counts.splitBeforeClaim += 1;
  }

  #anyPilot(): SimulatedPilot {
    const pilot = this.#pilots[this.#random.below(this.#pilots.length)];
    if (!pilot) throw new RangeError('a scenario needs a pilot');

    return pilot;
  }
}
