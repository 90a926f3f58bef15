import type { Logger, Meters } from '@reelstream/service';
import { connectSip } from '@reelstream/sip';
import type { SipEndpoint } from '@reelstream/sip';

export type PlaybackSipOptions = {
  /** `drachtio://host:port?secret=…` */
  readonly server: string;
  readonly log: Logger;
  readonly meters: Meters;
};

/** Answers SIP for playback: OPTIONS by 200; an INVITE by 404, for there is no media file of that name to play. */
export const openPlaybackSip = ({ server, log, meters }: PlaybackSipOptions): Promise<SipEndpoint> =>
  connectSip(
    { server, product: 'Reelstream' },
    {
      options: () => ({ status: 200 }),
      invite: (invite) => {
        meters.count('sip.invite.refused');
        log.info({ callId: invite.info.callId, dialled: invite.info.to.uri }, 'no such media file');
        invite.reject(404, { reason: 'No Such Media File' }).catch((error: unknown) => {
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
