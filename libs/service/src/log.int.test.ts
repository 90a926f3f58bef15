import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('test-support/talker/main.ts', import.meta.url));
const count = 2_000;

/** Runs the talker until it ends; `onText` may signal it. Resolves with the numbers of the lines that came. */
const linesOf = async (
  end: string,
  onText: (text: string, child: ChildProcess) => void = () => undefined,
): Promise<{ readonly numbers: readonly number[]; readonly code: number | null }> => {
  const child = spawn(process.execPath, [main], {
    env: { ...process.env, COUNT: String(count), END: end },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more: string) => onText((text += more), child));
  const [code] = (await once(child, 'close')) as [number | null];
  const said = text.split('\n').filter((line) => line.includes('"said"'));

  return { numbers: said.map((line) => (JSON.parse(line) as { line: number }).line), code };
};

const all = Array.from({ length: count }, (_, line) => line);

test('a process that exits has written every line', async () => {
  assert.deepEqual(await linesOf('exit'), { numbers: all, code: 0 });
});

test('a process that crashes has written every line', async () => {
  const { numbers, code } = await linesOf('throw');
  assert.deepEqual(numbers, all);
  assert.notEqual(code, 0);
});

test('a service that is told to end has written every line, those of its end too', async () => {
  const ended = await linesOf('signal', (text, child) => {
    if (text === 'ready\n') child.kill('SIGTERM');
  });
  assert.deepEqual(ended, { numbers: all, code: 0 });
});

test('a warning waits for nothing, nor does what was said before it', async () => {
  const { numbers } = await linesOf('kill-after-warning', (text, child) => {
    if (text.includes('"danger"')) child.kill('SIGKILL');
  });
  assert.deepEqual(numbers, all);
});
