import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import * as type from 'typebox';
import * as compile from 'typebox/compile';
import * as format from 'typebox/format';
import * as value from 'typebox/value';
import * as typeModules from 'typebox-modules';
import * as compileModules from 'typebox-modules/compile';
import * as formatModules from 'typebox-modules/format';
import * as valueModules from 'typebox-modules/value';

const pairs = [
  { name: 'typebox', bundled: type, published: typeModules },
  { name: 'typebox/compile', bundled: compile, published: compileModules },
  { name: 'typebox/format', bundled: format, published: formatModules },
  { name: 'typebox/value', bundled: value, published: valueModules },
];

for (const { name, bundled, published } of pairs)
  test(`${name} is a bundle, and has all that is published`, async () => {
    const text = await readFile(new URL(import.meta.resolve(name)), 'utf8');
    assert.ok(!text.includes('typebox-modules'), 'the modules are loaded in its place');
    assert.deepEqual(Object.keys(bundled).toSorted(), Object.keys(published).toSorted());
  });

test('a schema of one entry is compiled by another', () => {
  const schema = type.Object({ count: type.Integer({ minimum: 1 }) });
  assert.ok(compile.Compile(schema).Check({ count: 1 }));
  assert.ok(!value.Value.Check(schema, { count: 0 }));
});
