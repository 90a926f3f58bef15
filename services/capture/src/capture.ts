import { setTimeout as sleep } from 'node:timers/promises';
import { announceNode, followDrain } from '@reelstream/bus';
import { commandSubject, querySubject, Reservation, reservationSubject } from '@reelstream/events';
import { reportMeters } from '@reelstream/service';
import type { Logger, Running } from '@reelstream/service';
import { connectSip, listeningPort } from '@reelstream/sip';
import type { SipHandlers } from '@reelstream/sip';
import { Compile } from 'typebox/compile';
import { needFolder } from './adapters/folders.ts';
import { assemble } from './assemble.ts';
import { contactTowards } from './call.ts';
import type { CaptureNode } from './capture-node.ts';
import { takeCommand } from './command.ts';
import type { Config } from './config.ts';
import { countAside } from './damaged-journal.ts';
import { takeInvite } from './invite.ts';
import { answerQueries } from './journals.ts';
import { OutgoingCalls } from './outgoing-calls.ts';
import { recover } from './recover.ts';
import { resumeSessions } from './resume.ts';
import { credentialsOfBefore, hangUpLost, takeDialogs } from './return-dialogs.ts';
import { watchStorage } from './storage-watch.ts';

/** Brings a capture node up; it takes calls as soon as its SIP server is there. Disposing it drains it. */
export const startCapture = async (config: Config, log: Logger, pid: number): Promise<Running> => {
  await needFolder(config.captureDir, 'REEL_CAPTURE_DIR');
  await needFolder(config.recordingsDir, 'REEL_RECORDINGS_DIR');
  const closing = new AbortController();
  const node = await assemble(config, log, { pid, closing: closing.signal });
  const unfinished = await node.outboxIndex.list();
  const resumption = await resumeSessions(node, unfinished);
  const calls = new OutgoingCalls(node);
  const drains = followDrain(node.bus, config.nodeId, (isDrained) => node.status.drained(isDrained));
  const stops = [
    await watchStorage(node),
    reportMeters(node.meters, log),
    node.bus.subscribe(commandSubject(config.nodeId), takeCommand(node, calls)),
    node.bus.subscribe(querySubject(config.nodeId), answerQueries(node)),
    followReservations(node),
    () => node.watch.stop(),
    node.bus.onConnection((connected) => connected && node.pairHomes.prepare()),
  ];
  if (node.bus.connected) node.pairHomes.prepare();
  ensureStream(node);
  // What others have said of this node and of controllers counts for new calls; nothing else waits for it.
  const ready = Promise.allSettled([drains, node.profilesRead]);
  const credentials = await credentialsOfBefore(node);
  const sip = await connectSip(
    { server: config.sipServer, product: 'Reelstream' },
    sipHandlers(node, { ready, onConnected: () => hangUpLost(node, sip, resumption, credentials) }),
  );
  takeDialogs(node, sip, resumption, credentials);
  calls.placeBy(sip);
  await countAside(node);
  const recovery = recover(node, resumption.left);
  stops.push(announceNode(node.bus, () => node.status.heartbeat()));
  node.events.started();

  return {
    [Symbol.asyncDispose]: async () => {
      calls[Symbol.dispose]();
      await drain(node);
      closing.abort();
      await Promise.race([recovery, sleep(200)]);
      await sayGoodbye(node);
      for (const stop of [...stops, await drains]) stop();
      node.positions[Symbol.dispose]();
      await sip[Symbol.asyncDispose]();
      await node.recorder.close();
      await node.bus[Symbol.asyncDispose]();
    },
  };
};

/** Waits for the bus as long as it takes; recording doesn't. */
const ensureStream = ({ bus, log, closing }: CaptureNode): void => {
  bus.events.ensure().catch((error: unknown) => {
    if (!closing.aborted) log.error({ error }, 'the stream can not be made as it must be');
  });
};

const callWeight = 2;

const sipHandlers = (
  node: CaptureNode,
  { ready, onConnected }: { readonly ready: Promise<unknown>; readonly onConnected: () => void },
): SipHandlers => ({
  invite: (invite) => void ready.then(() => takeInvite(node, invite)),
  options: (info) => ({
    status: node.status.obstacle(callWeight) === undefined ? 200 : 503,
    // RFC 7866 §6: who asks learns that a recording server is here.
    headers: { contact: contactTowards(node, info, 'siprec') },
  }),
  connection: ({ connected, addresses }) => {
    node.status.sipConnected(connected);
    if (!connected) node.status.sipUnsaved(undefined);
    const port = listeningPort(addresses);
    if (connected) node.status.sipTlsPort = listeningPort(addresses, 'tls');
    if (node.config.sipPort === 0 && port !== undefined) node.status.sipPort = port;
    node.log.info({ connected, addresses }, 'SIP server');
    if (connected) onConnected();
  },
  storage: (trouble) => node.status.sipUnsaved(trouble),
  error: (error) => node.meters.count('sip.error', error.message),
});

const validReservation = Compile(Reservation);

const followReservations = ({ bus, config, status, meters }: CaptureNode): (() => void) =>
  bus.subscribe(reservationSubject(config.nodeId), ({ data }) => {
    if (validReservation.Check(data)) status.reserve(data);
    else meters.count('reservation.invalid');
  });

const drainLimitMs = 1_800;
const flushLimitMs = 700;

/** Takes no more calls, hangs up what runs, seals it; also what was just being answered. */
const drain = async ({ status, sessions, idle }: CaptureNode): Promise<void> => {
  status.drain();
  for (const { dialog } of idle) dialog?.bye().catch(() => undefined);
  const deadline = performance.now() + drainLimitMs;
  while (sessions.size > 0 && performance.now() < deadline) {
    for (const session of sessions.values()) if (session.isAnswered) void session.stop('stopped');
    await sleep(20);
  }
};

const sayGoodbye = async ({ events, outbox, bus }: CaptureNode): Promise<void> => {
  events.stopped();
  const limitMs = bus.connected ? flushLimitMs : 0;
  await Promise.all([outbox.close(limitMs), events.close(limitMs)]);
};
