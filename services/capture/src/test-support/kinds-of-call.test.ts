import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { tablesOfCalls } from './kinds-of-call.ts';

/** Rows of Markdown tables by their cells: how wide a column is drawn says nothing. */
const rows = (text: string): readonly string[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .map((cell) => cell.trim().replace(/^-+$/, '---'))
        .join('|'),
    );

test('docs/calls.md names the tests of every kind of call', () => {
  const written = readFileSync(new URL('../../../../docs/calls.md', import.meta.url), 'utf8');
  assert.deepEqual(rows(written), rows(tablesOfCalls().join('\n')));
});
