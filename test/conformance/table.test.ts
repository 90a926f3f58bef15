import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const here = new URL('./', import.meta.url);
const table = readFileSync(new URL('../../docs/sip-conformance-tests.md', here), 'utf8');

/** Names of the tests as written; what is filled in at run time stands as `*`. */
const written = readdirSync(here)
  .filter((name) => name.endsWith('.int.test.ts'))
  .flatMap((name) => [...readFileSync(new URL(name, here), 'utf8').matchAll(/^ *test\(\s*(['`])(.*)\1,/gm)])
  .map(([, , name = '']) => name.replaceAll(/\$\{[^}]*\}/g, '*'));

const listed = table
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (RFC 3261|clause) +\| test +\|$|^\| -/.test(line))
  .map((line) => line.split('|')[2]?.trim() ?? '');

const fits = (name: string, pattern: string): boolean => {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));

  return new RegExp(`^${parts.join('.*')}$`).test(name);
};

test('the table of conformance tests names every test, and nothing that is none', () => {
  assert.ok(written.length > 30);
  assert.deepEqual(
    listed.filter((name) => !written.some((pattern) => fits(name, pattern))),
    [],
  );
  assert.deepEqual(
    written.filter((pattern) => !listed.some((name) => fits(name, pattern))),
    [],
  );
});
