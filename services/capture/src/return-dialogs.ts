import type { Credentials, SipEndpoint } from '@reelstream/sip';
import { outboundCredentials } from './adapters/outbound-credentials.ts';
import { attend, inviteLifeMs } from './answer.ts';
import type { CaptureNode } from './capture-node.ts';
import { attendIdle } from './open-idle.ts';
import type { Resumption } from './resume.ts';

/** What calls that an earlier life placed prove themselves by; one that can't be had costs no more than that. */
export const credentialsOfBefore = async ({
  config,
  log,
}: Pick<CaptureNode, 'config' | 'log'>): Promise<Credentials | undefined> =>
  outboundCredentials(config).catch((error: unknown) => {
    log.error({ error }, 'the password for calls of ours can not be read');

    return undefined;
  });

/** The dialogs of sessions that go on are ours again: to be called before the SIP server has anything to say. */
export const takeDialogs = (
  node: CaptureNode,
  sip: SipEndpoint,
  { legs }: Resumption,
  credentials: Credentials | undefined,
): void => {
  for (const leg of legs) {
    if (!leg.session) continue;
    node.unconfirmed.set(leg.id, leg);
    attend(node, leg.session, leg, sip.resume({ ...leg.known, credentials }));
  }
  for (const leg of node.idle) attendIdle(node, leg, sip.resume(leg.known));
  const forget = setTimeout(() => {
    for (const leg of legs) if (node.unconfirmed.get(leg.id) === leg) node.unconfirmed.delete(leg.id);
  }, inviteLifeMs);
  forget.unref();
};

/** Those of sessions that don't are ended, now that the SIP server is there. Of what is gone already, it says so. */
export const hangUpLost = (
  { log }: Pick<CaptureNode, 'log'>,
  sip: SipEndpoint,
  { lost }: Resumption,
  credentials: Credentials | undefined,
): void => {
  for (const known of lost.splice(0))
    sip
      .resume({ ...known, credentials })
      .bye('the recorder was away')
      .catch((error: unknown) => log.warn({ error }, 'BYE failed'));
};
