import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

test('the server loads parts of the domain by their own names: all of it, with the schemas of events, costs half a second at each start', () => {
  const folder = fileURLToPath(new URL('.', import.meta.url));
  const sources = globSync('**/*.ts', { cwd: folder }).filter((name) => !name.endsWith('.test.ts'));
  const wrong = sources.filter((name) =>
    /from '@reelstream\/(domain|events)'/.test(readFileSync(`${folder}${name}`, 'utf8')),
  );
  assert.ok(sources.length > 50);
  assert.deepEqual(wrong, []);
});
