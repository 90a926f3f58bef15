import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../test-support/inbox.ts';
import { KeyedLog, readLog } from './keyed-log.ts';

type Value = { readonly name: string; readonly size: number };

class Bench implements AsyncDisposable {
  readonly folder: string;
  readonly path: string;
  readonly values = new Map<string, Value>();
  readonly failures: unknown[] = [];
  mended = 0;

  private constructor(folder: string) {
    this.folder = folder;
    this.path = join(folder, 'deeper', 'log');
  }

  static async open(): Promise<Bench> {
    return new Bench(await mkdtemp(join(tmpdir(), 'keyed-log-')));
  }

  async log(slackBytes?: number): Promise<KeyedLog<Value>> {
    const limits = slackBytes === undefined ? {} : { slackBytes };
    const log = new KeyedLog<Value>({
      path: this.path,
      failed: (error) => this.failures.push(error),
      mended: () => (this.mended += 1),
      ...limits,
    });
    await log.begin(() => this.values);
    return log;
  }

  put(log: KeyedLog<Value>, key: string, value: Value): void {
    this.values.set(key, value);
    log.put(key, value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true });
  }
}

const synced = (log: KeyedLog<Value>): Promise<void> => new Promise((resolve) => log.whenSynced(resolve));

test('what is synced is there when the log is read again, in any script', async () => {
  await using bench = await Bench.open();
  await using log = await bench.log();
  bench.put(log, 'one', { name: 'größe 録音', size: 1 });
  bench.put(log, 'two', { name: 'line\nfeed', size: 2 });
  log.delete('one');
  bench.put(log, 'two', { name: 'line\nfeed', size: 3 });
  await synced(log);
  const { live, damaged } = await readLog<Value>(bench.path);
  assert.deepEqual([...live], [['two', { name: 'line\nfeed', size: 3 }]]);
  assert.equal(damaged, 0);
});

test('a torn tail, and a damaged record in the middle, cost nothing but themselves', async () => {
  await using bench = await Bench.open();
  await using log = await bench.log();
  for (const size of [1, 2, 3]) {
    bench.put(log, `key ${size}`, { name: 'x', size });
    await synced(log);
  }
  const whole = await readFile(bench.path);
  const damagedAt = whole.indexOf('"size":2');
  whole.write('7', damagedAt + 7);
  await writeFile(bench.path, whole);
  await appendFile(bench.path, whole.subarray(0, 30));
  const { live, damaged } = await readLog<Value>(bench.path);
  assert.deepEqual([...live.keys()], ['key 1', 'key 3']);
  assert.equal(damaged, 2);
});

test('every cut of a log gives the state after its last whole record', async () => {
  await using bench = await Bench.open();
  await using log = await bench.log();
  for (const size of [1, 2, 3]) {
    bench.put(log, 'key', { name: 'x', size });
    await synced(log);
  }
  const whole = await readFile(bench.path);
  for (let length = 0; length <= whole.length; length++) {
    await writeFile(bench.path, whole.subarray(0, length));
    const { live } = await readLog<Value>(bench.path);
    const lines = whole.subarray(0, length).toString().split('\n').length - 1;
    assert.equal(live.get('key')?.size, lines === 0 ? undefined : lines);
  }
});

test('a log that has grown far beyond its values is compacted, and nothing is lost over it', async () => {
  await using bench = await Bench.open();
  await using log = await bench.log(1000);
  for (let size = 0; size < 200; size++) {
    bench.put(log, `key ${size % 5}`, { name: 'x', size });
    if (size % 3 === 0) await synced(log);
  }
  await synced(log);
  assert.ok((await stat(bench.path)).size < 3000);
  const { live } = await readLog<Value>(bench.path);
  assert.deepEqual(live, bench.values);
});

test('those who wait during one sync share the next', async () => {
  await using bench = await Bench.open();
  await using log = await bench.log();
  const order: string[] = [];
  for (let at = 0; at < 50; at++) {
    bench.put(log, `key ${at}`, { name: 'x', size: at });
    log.whenSynced(() => order.push(`key ${at}`));
  }
  await synced(log);
  assert.deepEqual(order, [...bench.values.keys()]);
});

test('without its disk the log lets everybody go on, and says so; with it again it saves all', async () => {
  await using bench = await Bench.open();
  await using log = await bench.log(0);
  bench.put(log, 'kept', { name: 'x', size: 1 });
  await synced(log);
  await rm(bench.folder, { recursive: true });
  await writeFile(bench.folder, 'no folder any more');
  for (let size = 0; bench.failures.length === 0 && size < 100; size++) {
    bench.put(log, 'key', { name: 'x', size });
    await synced(log);
  }
  assert.equal(bench.failures.length, 1);
  assert.equal(bench.mended, 0);
  await rm(bench.folder);
  await until('all is saved again', () => bench.mended === 1);
  assert.deepEqual([...(await readLog<Value>(bench.path)).live], [...bench.values]);
});

test('a folder that can’t be written is told at the beginning', async () => {
  await using bench = await Bench.open();
  await writeFile(join(bench.folder, 'deeper'), 'a file');
  await assert.rejects(bench.log(), { code: 'EEXIST' });
});
