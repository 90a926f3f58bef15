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

test('an empty value is an absent one', () => {
  assert.equal(loadConfig({ a: text('A', 'a', 'default') }, { A: '' }).a, 'default');
  assert.throws(() => loadConfig({ a: name('A', 'a name') }, { A: '' }), /A is not set: a name/);
});

test('a secret shows itself nowhere but on demand', () => {
  const { key } = loadConfig({ key: secret('KEY', 'the key') }, { KEY: 'hush' });
  assert.equal(`${String(key)} ${JSON.stringify({ key })} ${inspect(key)}`, '*** {"key":"***"} ***');
  assert.equal(key.reveal(), 'hush');
});
