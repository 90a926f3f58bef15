import { connectSip } from '../../index.ts';
import type { Dialog } from '../../index.ts';

/*
 * An application that can be killed: answers every call, takes over every dialog whose Call-ID says nothing against it,
 * and tells its parent what happens. It ends with its parent.
 */
const [server = '', sdp = ''] = process.argv.slice(2);
const tell = (...news: readonly string[]): void => void process.send?.(news);

const listen = (dialog: Dialog): void => {
  dialog.onOffer((request) => {
    const { method, body } = request.info;
    tell('offer', method, body);
    request.respond(200, method === 'INVITE' ? { body: sdp, contentType: 'application/sdp' } : {});
  });
  dialog.onRequest((request) => {
    tell('request', request.info.method);
    request.respond(200);
  });
  dialog.onAck((body) => tell('ack', body));
  dialog.onEnded(({ cause }) => tell('ended', cause));
};

const endpoint = await connectSip(
  { server, product: 'Reelstream' },
  {
    invite: (invite) => {
      void invite.accept({ body: sdp }).then((dialog) => {
        listen(dialog);
        tell('opened', dialog.callId, dialog.localTag, dialog.remoteTag);
      });
    },
    options: () => ({ status: 200 }),
    adopt: (dialog, { method }) => {
      tell('adopt', method, dialog.callId, dialog.localTag, dialog.remoteTag);
      if (dialog.callId.includes('stranger')) return false;
      listen(dialog);

      return true;
    },
    connection: ({ connected }) => connected && tell('connected'),
  },
);

process.on('disconnect', () => process.exit(0));
process.on('message', (names: Parameters<typeof endpoint.resume>[0]) => {
  const dialog = endpoint.resume(names);
  listen(dialog);
  void dialog.bye('resumed');
});
