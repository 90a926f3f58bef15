import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import test from 'node:test';
import { claimPort, freePorts } from './ports.ts';
import { waitFor } from './wait.ts';

const ports = fileURLToPath(new URL('ports.ts', import.meta.url));
const elsewhere = `
  import { freePorts } from ${JSON.stringify(ports)};
  console.log(JSON.stringify(await freePorts(20)));
  process.stdin.resume();
`;

test('a port that was given, and is not bound yet, is given to no other process until the first has ended', async () => {
  const other = spawn(process.execPath, ['--input-type=module', '-e', elsewhere], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = (await once(other.stdout, 'data')) as [Buffer];
  const theirs = JSON.parse(line.toString()) as readonly number[];
  assert.equal(new Set(theirs).size, 20);

  for (const port of theirs) assert.equal(await claimPort(port), false);

  other.kill('SIGKILL');
  await once(other, 'exit');
  await waitFor(async () => (await claimPort(theirs[0] ?? 0)) || undefined, {
    deadlineMs: 5_000,
    describe: 'the ports of a process that has ended are still spoken for',
  });
});

test('a port is given once, however often somebody asks', async () => {
  const given = await Promise.all(Array.from({ length: 50 }, () => freePorts(4)));

  assert.equal(new Set(given.flat()).size, 200);
});
