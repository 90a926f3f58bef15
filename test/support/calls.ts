import type { WebhookBody, PublicSession } from '@reelstream/events';
import { waitFor } from '@reelstream/testing';
import { placeSiprecCall, sampleConversation } from '@reelstream/testing/callers';
import type { System } from './system.ts';
import type { Endpoint } from './webhooks.ts';

export type ShortCall = {
  readonly callId: string;
  /** From the INVITE to the pilot to the 200 of the home. */
  readonly answeredAfterMs: number;
  /** performance.now() when we sent BYE. */
  readonly hungUpAt: number;
};

/** Less than a second of the sample conversation over SIPREC, through the pilot; hung up by us. */
export const placeShortCall = async (system: System): Promise<ShortCall> => {
  const conversation = sampleConversation();
  await using call = await placeSiprecCall({
    target: `sip:record@127.0.0.1:${system.sipPort}`,
    durationMs: 400,
    legs: [
      {
        codec: 'PCMU',
        audio: { samples: conversation.agent },
        address: 'sip:7301@192.0.2.10',
        name: 'Agent',
      },
      {
        codec: 'PCMA',
        audio: { samples: conversation.customer },
        address: 'sip:7300@192.0.2.10',
        name: 'Customer',
      },
    ],
  });
  await call.mediaSent;
  const hungUpAt = performance.now();
  await call.hangUp();

  return { callId: call.callId, answeredAfterMs: call.answeredAfterMs, hungUpAt };
};

/** The webhook bodies of the session with this Call-ID, once it is sealed; rejects after `deadlineMs`. */
export const eventsOfCall = (
  endpoint: Endpoint,
  callId: string,
  deadlineMs: number,
): Promise<readonly WebhookBody[]> => {
  const ofCall = (): readonly WebhookBody[] =>
    endpoint.received
      .map(({ body }) => body)
      .filter(({ data }) =>
        (data as Partial<PublicSession>).dialogs?.some((dialog) => dialog.callId === callId),
      );

  return waitFor(() => (ofCall().some(({ type }) => type === 'recording.sealed') ? ofCall() : undefined), {
    deadlineMs,
    describe: () =>
      `call ${callId} has only ${ofCall()
        .map(({ type }) => type)
        .join(', ')} of ${endpoint.received.length}`,
  });
};
