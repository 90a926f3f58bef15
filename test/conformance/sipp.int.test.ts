import assert from 'node:assert/strict';
import { test } from 'node:test';
import { debianPackages, freePort } from '@reelstream/testing';
import { startProgram } from '../support/program.ts';
import { shareFrontDoor } from '../support/shared-front-door.ts';

// A client that shares nothing with ours judges the same way of a call.

const shared = shareFrontDoor();
const scenario = new URL('redirected.xml', import.meta.url).pathname;

for (const transport of ['u1', 't1'])
  test(`SIPp is redirected 200 times over ${transport === 'u1' ? 'UDP' : 'TCP'}, without a repeat or an unexpected message`, async () => {
    const sipp = await debianPackages('sip-tester');
    const options = [
      '-sf',
      scenario,
      '-t',
      transport,
      '-m',
      '200',
      '-r',
      '50',
      '-i',
      '127.0.0.1',
      '-nostdin',
    ];
    const target = `127.0.0.1:${shared.door.port}`;
    const command = sipp.command('sipp', [target, '-p', String(await freePort()), ...options]);
    await using run = startProgram({ ...command, env: { ...command.env, TERM: 'dumb' } });
    await run.printed(/Successful call\s+\|\s+\d+\s+\|\s+200\s/, 60_000);
    assert.match(run.output(), /Failed call\s+\|\s+0\s+\|\s+0\s/);
  });
