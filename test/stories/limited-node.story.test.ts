import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findOnPath } from '@reelstream/testing';
import { runReel } from '../support/reel.ts';
import { startSystem } from '../support/system.ts';
import type { System } from '../support/system.ts';

/** The columns of a node in `reel status`. */
const rowOf = async ({ dataDir }: System, nodeId: string): Promise<readonly string[]> => {
  const { exitCode, stdout } = await runReel(['status'], { REEL_DATA_DIR: dataDir });
  assert.equal(exitCode, 0, stdout);

  return (
    stdout
      .split('\n')
      .find((line) => line.startsWith(nodeId))
      ?.split(/ {2,}/) ?? []
  );
};

test('reel status says what a node that holds less than is configured has too little of: ports', async () => {
  await using system = await startSystem({ REEL_RTP_PORTS: '19500-19519' });
  assert.equal((await rowOf(system, 'capture-1'))[4], '0/10 (ports)');
});

test(
  'reel status says what a node that holds less than is configured has too little of: descriptors',
  { skip: findOnPath('prlimit') ? false : 'there is no prlimit on this machine' },
  async () => {
    await using system = await startSystem({}, undefined, 1_024);
    assert.match((await rowOf(system, 'capture-1'))[4] ?? '', /^0\/[12]\d\d \(descriptors\)$/);
  },
);
