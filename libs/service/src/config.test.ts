import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import {
  ConfigError,
  integer,
  loadConfig,
  name,
  names,
  oneOf,
  portRange,
  secret,
  secretKey,
  text,
  url,
} from './config.ts';

const settings = {
  count: integer('COUNT', 'how many', { min: 1, max: 5 }, 2),
  ports: portRange('PORTS', 'RTP ports', '16384-32767'),
  servers: names('SERVERS', 'database servers', 'primary'),
  level: oneOf('LEVEL', 'log level', ['info', 'debug'], 'info'),
  bus: url('BUS', 'the bus', ['nats']),
  key: secret('KEY', 'the key'),
};

test('defaults fill in, values are typed, the result is frozen', () => {
  const config = loadConfig(settings, {
    BUS: 'nats://a:1,nats://b:2',
    KEY: 'k',
    SERVERS: 'primary,secondary',
  });
  assert.equal(config.count, 2);
  assert.deepEqual(config.ports, { low: 16_384, high: 32_767 });
  assert.deepEqual(config.servers, ['primary', 'secondary']);
  assert.ok(Object.isFrozen(config));
});

test('one error lists every bad setting by its variable', () => {
  assert.throws(
    () => loadConfig(settings, { COUNT: '9', PORTS: '5-4', BUS: 'http://x', LEVEL: 'loud' }),
    (error: unknown) => {
      assert.ok(error instanceof ConfigError);
      assert.deepEqual(
        error.problems.map((problem) => problem.split(/[= ]/)[0]),
        ['COUNT', 'PORTS', 'LEVEL', 'BUS', 'KEY'],
      );

      return true;
    },
  );
});

test('a key is of its length, in base64', () => {
  const key = { key: secretKey('KEY', 'the key', 32) };
  const good = Buffer.alloc(32, 1).toString('base64');
  assert.equal(loadConfig(key, { KEY: good }).key.reveal(), good);
  for (const bad of ['key', '!'.repeat(44), good.slice(4), `${good.slice(0, 43)}!`, `${good}\n`])
    assert.throws(() => loadConfig(key, { KEY: bad }), {
      message: 'KEY=*** is no good: wanted 32 bytes in base64',
    });
});

test('a bad value is shown, but for the passwords in it', () => {
  const bad = { BUS: 'natz://me:hush@bus:4222,drachtio://host?secret=hush', KEY: 'k' };
  assert.throws(() => loadConfig(settings, bad), {
    message:
      'BUS=natz://me:***@bus:4222,drachtio://host?secret=*** is no good: wanted a URL that begins with nats://',
  });
});

test('an empty value is an absent one', () => {
  assert.equal(loadConfig({ a: text('A', 'a', 'default') }, { A: '' }).a, 'default');
  assert.throws(() => loadConfig({ a: name('A', 'a name') }, { A: '' }), /A is not set: a name/);
});

test('a secret shows itself nowhere but on demand', () => {
  const { key } = loadConfig({ key: secret('KEY', 'the key') }, { KEY: 'hush' });
  assert.equal(`${String(key)} ${JSON.stringify({ key })} ${inspect(key)}`, '*** {"key":"***"} ***');
  assert.equal(key.reveal(), 'hush');
});
