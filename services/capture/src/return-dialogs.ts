import type { SipEndpoint } from '@reelstream/sip';
import { attend } from './answer.ts';
import type { CaptureNode } from './capture-node.ts';
import { attendIdle } from './open-idle.ts';
import type { Resumption } from './resume.ts';

/** RFC 3261 §17.1.1.2, timer B: so long a caller sends its INVITE anew. */
const inviteLifeMs = 32_000;

/** The dialogs of sessions that go on are ours again: to be called before the SIP server has anything to say. */
export const takeDialogs = (node: CaptureNode, sip: SipEndpoint, { legs }: Resumption): void => {
  for (const leg of legs) {
    if (!leg.session) continue;
    node.unconfirmed.set(leg.id, leg);
    attend(node, leg.session, leg, sip.resume(leg.known));
  }
  for (const leg of node.idle) attendIdle(node, leg, sip.resume(leg.known));
  const forget = setTimeout(() => node.unconfirmed.clear(), inviteLifeMs);
  forget.unref();
};

/** Those of sessions that don't are ended, now that the SIP server is there. Of what is gone already, it says so. */
export const hangUpLost = (
  { log }: Pick<CaptureNode, 'log'>,
  sip: SipEndpoint,
  { lost }: Resumption,
): void => {
  for (const known of lost.splice(0))
    sip
      .resume(known)
      .bye('the recorder was away')
      .catch((error: unknown) => log.warn({ error }, 'BYE failed'));
};
