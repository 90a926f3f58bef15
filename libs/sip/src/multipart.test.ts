import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBody } from './multipart.ts';

const bodies = (contentType: string, body: string): string[] =>
  parseBody(contentType, body).parts.map((part) => part.body);
const two = '--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\r\n--b\r\n\r\nplain\r\n--b--\r\nepilogue';

test('parts stand between boundaries; the line break before a boundary is not theirs', () => {
  const { parts, problems } = parseBody('multipart/mixed;boundary=b', `preamble\r\n${two}`);
  assert.deepEqual(problems, []);
  assert.deepEqual(parts, [
    { contentType: 'application/sdp', disposition: undefined, body: 'v=0\r\n' },
    { contentType: 'text/plain', disposition: undefined, body: 'plain' },
  ]);
});

for (const [name, contentType, body] of [
  ['a quoted boundary', 'multipart/mixed; boundary="b"', two],
  ['parameters behind the boundary', 'Multipart/Mixed;boundary=b;charset=utf-8', two],
  ['bare line feeds', 'multipart/mixed;boundary=b', two.replaceAll('\r', '')],
  ['blanks behind a boundary', 'multipart/mixed;boundary=b', two.replace('--b\r\n', '--b \t\r\n')],
  ['no boundary parameter', 'multipart/mixed', two],
] as const)
  test(`${name}: the parts are found`, () => {
    assert.deepEqual(
      bodies(contentType, body).map((text) => text.trim()),
      ['v=0', 'plain'],
    );
  });

test('a missing last boundary is named, and the last part is kept', () => {
  const { parts, problems } = parseBody('multipart/mixed;boundary=b', '--b\r\n\r\none\r\n--b\r\n\r\ntwo');
  assert.deepEqual(
    parts.map(({ body }) => body),
    ['one', 'two'],
  );
  assert.deepEqual(problems, ['the last boundary is missing']);
});

test('nested multiparts are flattened, within bounds', () => {
  const inner = `--i\r\n\r\ninner\r\n--i--`;
  const outer = `--o\r\nContent-Type: multipart/related;\r\n boundary="i"\r\n\r\n${inner}\r\n--o--`;
  assert.deepEqual(bodies('multipart/mixed;boundary=o', outer), ['inner']);
  const deep = `--x\r\nContent-Type: multipart/mixed;boundary=x\r\n\r\n`.repeat(200);
  assert.ok(parseBody('multipart/mixed;boundary=x', deep).parts.length <= 32);
  const wide = '--x\r\n\r\na\r\n'.repeat(5_000);
  assert.equal(parseBody('multipart/mixed;boundary=x', wide).parts.length, 32);
});

test('a body whose boundary does not occur is one part of unknown type', () => {
  const { parts, problems } = parseBody('multipart/mixed;boundary=b', 'v=0\r\n');
  assert.deepEqual(parts, [{ contentType: 'text/plain', disposition: undefined, body: 'v=0\r\n' }]);
  assert.equal(problems.length, 1);
});

test('a plain body is one part, an empty one none', () => {
  assert.deepEqual(parseBody('application/SDP; x=y', 'v=0').parts, [
    { contentType: 'application/sdp', disposition: undefined, body: 'v=0' },
  ]);
  assert.deepEqual(parseBody(undefined, '').parts, []);
});
