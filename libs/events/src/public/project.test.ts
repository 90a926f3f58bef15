import assert from 'node:assert/strict';
import { test } from 'node:test';
import Type from 'typebox';
import { project } from './project.ts';

const Person = Type.Object({ name: Type.String(), age: Type.Optional(Type.Integer()) });
const Team = Type.Object({ id: Type.Integer(), people: Type.Array(Person), note: Type.Unknown() });

test('only the fields of the schema are shown, in its order, at every depth', () => {
  const ours = { note: { any: 1 }, secret: 1, people: [{ age: 3, hidden: true, name: 'a' }], id: 7 };
  assert.equal(
    JSON.stringify(project(Team, ours)),
    '{"id":7,"people":[{"name":"a","age":3}],"note":{"any":1}}',
  );
});

test('what is undefined is absent', () => {
  assert.deepEqual(Object.keys(project(Team, { id: 1, people: [], note: undefined })), ['id', 'people']);
});
