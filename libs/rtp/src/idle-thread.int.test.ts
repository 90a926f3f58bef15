import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { platform } from 'node:os';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { addonFile } from '../native/build.mjs';
import type { ThreadPriority } from './idle-thread.ts';

const idlePolicy = 5;

/** proc(5), field 41 of a thread's stat: by what policy it gets a processor. */
const policyIn = (stat: string): number => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[38]);

const script = `
  const { readFileSync } = require('node:fs');
  const { parentPort } = require('node:worker_threads');
  import(${JSON.stringify(new URL('./idle-thread.ts', import.meta.url).href)}).then(({ beIdle }) =>
    parentPort.postMessage({ priority: beIdle(), stat: readFileSync('/proc/thread-self/stat', 'utf8') }));
`;

const skip =
  platform() !== 'linux' || !existsSync(addonFile()) ? 'it takes Linux, and the add-on in C' : false;

test(
  'a thread waits until nobody wants the processor or the disk; the others of its process go on as before',
  { skip },
  async () => {
    const worker = new Worker(script, { eval: true });
    const [{ priority, stat }] = (await once(worker, 'message')) as [
      { readonly priority: ThreadPriority; readonly stat: string },
    ];
    await worker.terminate();
    assert.deepEqual(priority, { processor: 'idle', disk: 'idle' });
    assert.equal(policyIn(stat), idlePolicy);
    assert.notEqual(policyIn(readFileSync('/proc/thread-self/stat', 'utf8')), idlePolicy);
  },
);
