import { once } from 'node:events';
import { parseArgs } from 'node:util';
import type { PublicSession } from '@reelstream/events';
import { waitFor } from '@reelstream/testing';
import { placeShortCall } from '../../support/calls.ts';
import { startSystem } from '../../support/system.ts';
import { startEndpoint } from '../../support/webhooks.ts';

// What a controller and an integrator wait for, on a whole system of its own: INVITE to 200 through the redirect, and
// hang-up to the webhook that tells of it. One call after the other, so that nothing but the path is measured.

const { values } = parseArgs({
  options: { calls: { type: 'string', default: '20' }, json: { type: 'boolean', default: false } },
});
const calls = Number(values.calls);

const percentile = (sorted: readonly number[], share: number): number =>
  Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1));

const summary = (milliseconds: readonly number[]) => {
  const sorted = milliseconds.toSorted((a, b) => a - b);

  return { p50: percentile(sorted, 0.5), p95: percentile(sorted, 0.95), max: percentile(sorted, 1) };
};

await using system = await startSystem();
await using endpoint = await startEndpoint();
await system.json('/subscriptions', {
  method: 'POST',
  body: JSON.stringify({ url: endpoint.url, types: ['session.ended'] }),
});

const answered: number[] = [];
const told: number[] = [];
for (let call = 0; call < calls; call += 1) {
  const { callId, answeredAfterMs, hungUpAt } = await placeShortCall(system);
  const webhook = await waitFor(
    () =>
      endpoint.received.find(({ body }) =>
        (body.data as PublicSession).dialogs.some((dialog) => dialog.callId === callId),
      ),
    { deadlineMs: 10_000, everyMs: 2, describe: `no webhook for ${callId}` },
  );
  answered.push(answeredAfterMs);
  told.push(webhook.at - hungUpAt);
}

const result = { calls, inviteTo200Ms: summary(answered), hangUpToWebhookMs: summary(told) };
const text = values.json
  ? JSON.stringify(result)
  : `${calls} calls
INVITE to 200 through the redirect  p50 ${result.inviteTo200Ms.p50} ms, p95 ${result.inviteTo200Ms.p95} ms
hang-up to webhook                  p50 ${result.hangUpToWebhookMs.p50} ms, p95 ${result.hangUpToWebhookMs.p95} ms`;
if (!process.stdout.write(`${text}\n`)) await once(process.stdout, 'drain');
