import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commonBound, Listing } from './listing.ts';

/** Sessions of a place, two at a time. Counts how often it was asked. */
const listingOf = (ids: readonly string[]) => {
  const asked: string[] = [];
  const listing = new Listing<object>((after) => {
    asked.push(after);
    const page = ids.filter((id) => id > after).slice(0, 2);
    const through = page.length === 2 ? page[1] : undefined;

    return Promise.resolve({
      items: page.map((sessionId) => ({ sessionId })),
      ...(through !== undefined && { through }),
    });
  });

  return { listing, asked };
};

test('sessions of several places come together in order, each once from each place, read once', async () => {
  const places = ['abcdef', 'fgh', '', 'bdz'].map((ids) => listingOf(Array.from(ids)));
  const met: string[] = [];
  let after: string | undefined = '';
  while (after !== undefined) {
    const bounds = await Promise.all(places.map(({ listing }) => listing.readOn(after ?? '')));
    const through = commonBound(bounds);
    const page = places.flatMap(({ listing }) => listing.take(through)).map(({ sessionId }) => sessionId);
    assert.ok(page.every((id) => id > (after ?? '') && (through === undefined || id <= through)));
    met.push(...page.toSorted());
    after = through;
  }

  assert.deepEqual(met.join(''), 'abbcddeffghz');
  for (const { asked } of places) assert.equal(new Set(asked).size, asked.length);
});
