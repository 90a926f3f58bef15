// `npm run test:pairs`: ten thousand forked calls, each in two dialogs to two pilots in the same moment, while the leader
// of the bus is killed. Prints the figures as one JSON object; the exit code says whether they are good enough.
import { parseArgs } from 'node:util';
import { measurePairs } from './measure.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: true },
    pairs: { type: 'string', default: '10000' },
    recorded: { type: 'string', default: '300' },
  },
});

const figures = await measurePairs({ recorded: Number(values.recorded), redirected: Number(values.pairs) });
const { recorded, redirected } = figures;
process.stdout.write(`${JSON.stringify(figures)}\n`);
const good =
  recorded.lost === 0 &&
  redirected.unanswered === 0 &&
  recorded.byMetadata * 1_000 <= recorded.pairs &&
  redirected.apart * 1_000 <= redirected.pairs;
process.exit(good ? 0 : 1);
