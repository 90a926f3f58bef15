import type { Logger, Meters } from '@reelstream/service';
import { connectSip } from '@reelstream/sip';
import type { SipEndpoint } from '@reelstream/sip';

export type PlaybackSipOptions = {
  /** `drachtio://host:port?secret=…` */
  readonly server: string;
  readonly log: Logger;
  readonly meters: Meters;
  /** An operator has taken this node out. */
  readonly isDrained: () => boolean;
};

/**
 * Answers SIP for playback: OPTIONS by 200; an INVITE by 404, for there is no media file of that name to play; both by
 * 503 while an operator has taken this node out.
 */
export const openPlaybackSip = ({
  server,
  log,
  meters,
  isDrained,
}: PlaybackSipOptions): Promise<SipEndpoint> =>
  connectSip(
    { server, product: 'Reelstream' },
    {
      options: () => ({ status: isDrained() ? 503 : 200 }),
      invite: (invite) => {
        meters.count('sip.invite.refused');
        log.info({ callId: invite.info.callId, dialled: invite.info.to.uri }, 'no such media file');
        const refusal: readonly [number, { readonly reason?: string }] = isDrained()
          ? [503, {}]
          : [404, { reason: 'No Such Media File' }];
        invite.reject(...refusal).catch((error: unknown) => {
          meters.count('sip.failed', String(error));
        });
      },
      connection: ({ connected, addresses }) =>
        log.info({ connected, addresses }, connected ? 'SIP server is there' : 'SIP server is away'),
      error: (error) => {
        meters.count('sip.failed', error.message);
        log.warn({ error }, 'SIP request failed');
      },
    },
  );
