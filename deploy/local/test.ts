// `npm test`: every check, in order, to the end; the exit code says whether all were good. `npm test -- unit int` runs
// these stages only.
import { containerEngine } from '@reelstream/testing';
import type { Counts } from './checks/count-reporter.ts';
import { runStage } from './checks/run-stage.ts';
import { staticStages, testStage, type Stage } from './checks/stages.ts';
import { checkout, settings } from './launcher/settings.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** The integration tests again, over containers; with the reason where that can't be. */
const containerStage = async (): Promise<Stage | string> => {
  const engine = await containerEngine();
  if (!engine.available) return `no container engine (${engine.reason}): the private servers were used only`;
  const stage = testStage(checkout, 'int', { REEL_TEST_ENGINE: 'testcontainers' });

  return stage ? { ...stage, name: 'containers' } : 'no integration tests';
};

const stages: readonly { readonly name: string; readonly stage: () => Promise<Stage | string> }[] = [
  ...staticStages.map((stage) => ({ name: stage.name, stage: () => Promise.resolve(stage) })),
  ...(['unit', 'int'] as const).map((name) => ({
    name,
    stage: () => Promise.resolve(testStage(checkout, name) ?? 'no such tests'),
  })),
  { name: 'containers', stage: containerStage },
  { name: 'story', stage: () => Promise.resolve(testStage(checkout, 'story') ?? 'no such tests') },
];

/** What a user set for `npm start` is none of the tests' business. */
const testEnv = (): NodeJS.ProcessEnv => {
  const own = new Set(Object.values(settings).map(({ variable }) => variable));

  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.has(name)));
};

const runOne = async (name: string, stage: Stage | string): Promise<Counts> => {
  if (typeof stage === 'string') {
    say(`\n${name}: skipped, ${stage}`);

    return { passed: 0, failed: 0, skipped: 1 };
  }
  say(`\n${name}`);
  const begun = performance.now();
  const counts = await runStage(stage, checkout, testEnv());
  const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
  say(`${name}: ${counts.failed === 0 ? 'good' : 'FAILED'} (${seconds} s)`);

  return counts;
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !stages.some((stage) => stage.name === name));
if (unknown.length > 0) {
  say(`no stage ${unknown.join(', ')}; there are ${stages.map(({ name }) => name).join(', ')}`);
  process.exit(1);
}

const total = { passed: 0, failed: 0, skipped: 0 };
const failed: string[] = [];
for (const { name, stage } of stages) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const counts = await runOne(name, await stage());
  if (counts.failed > 0) failed.push(name);
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
}
if (failed.length > 0) say(`\nfailed: ${failed.join(', ')}`);
say(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed === 0 ? 0 : 1);
