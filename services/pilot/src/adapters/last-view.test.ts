import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '@reelstream/service';
import { keepLastView, readLastView } from './last-view.ts';

test('without a path no view is read, and none is asked for to be kept', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const logger = createLogger({ service: 'pilot', nodeId: 'pilot-1', level: 'silent' });
  const view = t.mock.fn(() => ({ homes: [], rules: [], controllers: [] }));
  const end = keepLastView('', view, logger);
  t.mock.timers.tick(60_000);
  assert.equal(view.mock.callCount(), 0);
  assert.equal(await readLastView(''), undefined);
  end();
});
