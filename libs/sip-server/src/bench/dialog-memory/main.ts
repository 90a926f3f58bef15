import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { header } from '../../message/message.ts';
import type { SipServerOptions } from '../../server.ts';
import { Caller } from '../../test-support/messages.ts';
import { SECRET, connectTo } from '../../test-support/server.ts';
import type { Footprint, ServerProcess } from '../../test-support/server-process.ts';
import { startServerProcess } from '../../test-support/server-process.ts';
import { UdpPeer } from '../../test-support/udp-peer.ts';

/*
 * What a dialog takes of the server's memory: `node main.ts [dialogs]`. Calls are made, acknowledged and left standing;
 * when their transactions are gone, the server is weighed. Prints one JSON object.
 */
const wanted = Number(process.argv[2] ?? 1000);

/** Two streams with what controllers write about them: about 700 bytes. */
const stream = (port: number): string =>
  [
    `m=audio ${port} RTP/AVP 0 8 9 18 101`,
    'c=IN IP4 10.1.2.3',
    ...['0 PCMU/8000', '8 PCMA/8000', '9 G722/8000', '18 G729/8000', '101 telephone-event/8000'].map(
      (codec) => `a=rtpmap:${codec}`,
    ),
    'a=fmtp:18 annexb=no',
    'a=fmtp:101 0-15',
    'a=ptime:20',
    'a=sendonly',
    `a=label:${port}`,
    '',
  ].join('\r\n');
const sdp = `v=0\r\no=recorder 1 1 IN IP4 10.1.2.3\r\ns=SIP Call\r\nt=0 0\r\n${stream(16_400)}${stream(16_402)}`;

const stateDir = await mkdtemp(join(tmpdir(), 'sip-memory-'));
const options: SipServerOptions = {
  listen: [{ protocol: 'udp', address: '127.0.0.1', port: 0 }],
  secret: SECRET,
  timing: { t1: 20, t2: 160, t4: 200 },
  stateDir,
};

async function call(server: ServerProcess, peer: UdpPeer, id: string): Promise<void> {
  const to = server.addresses[0];
  if (to === undefined) throw new Error('the server has no address');
  const caller = new Caller(id, peer.port);
  peer.send(
    caller.request('INVITE', 1, { body: sdp, extra: ['Supported: timer', 'Session-Expires: 1800'] }),
    to,
  );
  // The 200 of the call before may have been repeated meanwhile.
  let ok = await peer.response(200, 'INVITE');
  while (header(ok, 'call-id') !== id) ok = await peer.response(200, 'INVITE');
  caller.learn(ok);
  peer.send(caller.request('ACK', 1), to);
}

/** Weighs once nothing but dialogs is left. */
async function settled(server: ServerProcess, dialogs: number): Promise<Footprint> {
  for (let tries = 0; tries < 100; tries++) {
    const footprint = await server.footprint();
    const { counters } = footprint;
    if (counters['now.transactions'] === 0 && counters['now.dialogs'] === dialogs) return footprint;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the calls did not settle');
}

try {
  await using server = await startServerProcess(options);
  await using _app = await connectTo(server.control, (srf) => {
    srf.invite((_req, res) => res.send(200, { body: sdp }));
  });
  await using peer = await UdpPeer.open();
  // The first calls bring in code and tables that are there once.
  const warmUp = 1000;
  for (let at = 0; at < warmUp; at++) await call(server, peer, `warm-up-${at}-9f2c41d07be3@10.1.2.3`);
  const before = await settled(server, warmUp);
  for (let at = 0; at < wanted; at++) await call(server, peer, `measured-${at}-51e0aa73c9d4@10.1.2.3`);
  const after = await settled(server, warmUp + wanted);
  const bytesPerDialog = Math.round((after.bytes - before.bytes) / wanted);
  const buffersPerDialog = Math.round((after.buffers - before.buffers) / wanted);
  const rssPerDialog = Math.round((after.rss - before.rss) / wanted);
  process.stdout.write(
    `${JSON.stringify({ dialogs: wanted, bytesPerDialog, buffersPerDialog, rssPerDialog })}\n`,
  );
} finally {
  await rm(stateDir, { recursive: true });
}
