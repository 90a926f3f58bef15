import type { TestEvent } from 'node:test/reporters';

/** Counts of tests; a cancelled one counts as failed. */
export type Counts = { readonly passed: number; readonly failed: number; readonly skipped: number };

/** A reporter for node:test that writes nothing but the counts of the whole run, as JSON. */
const countReporter = async function* (events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    if (event.type !== 'test:summary' || event.data.file !== undefined) continue;
    const { tests, passed, ...counts } = event.data.counts;
    const skipped = counts.skipped + counts.todo;
    yield JSON.stringify({ passed, skipped, failed: tests - passed - skipped } satisfies Counts);
  }
};

// node:test takes a reporter from a module's default export.
// oxlint-disable-next-line import/no-default-export
export default countReporter;
