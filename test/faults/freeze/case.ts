import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@reelstream/testing';
import { randomFrom } from '../../support/random.ts';
import { startSystem } from '../../support/system.ts';
import { droppedAt } from '../../support/udp-drops.ts';
import { losslessRow } from '../fault-case.ts';
import type { FaultCase } from '../fault-case.ts';
import { Calls } from '../support/calls.ts';
import { packetsOf } from '../support/ended-calls.ts';
import { pidOf } from '../support/processes.ts';
import { closedSession, Sealed } from '../support/sealed.ts';
import { openSender } from '../support/sender.ts';

/** Of two voices each: half of the 1,000 that are received without loss on one core (docs/performance.md). */
const usualCalls = 500;
const voices = 2;
const frozenMs = 3_000;
const secondsSent = 12;
/** Not before what Node compiles first is compiled. */
const earliestMs = 4_000;
const latestMs = 6_000;

const readNumber = async (path: string): Promise<number> => Number((await readFile(path, 'utf8')).trim());

const freeze = async (pid: number): Promise<number> => {
  process.kill(pid, 'SIGSTOP');
  const from = performance.now();
  await sleep(frozenMs);
  process.kill(pid, 'SIGCONT');

  return Math.round(performance.now() - from);
};

export const freezeCase: FaultCase = {
  name: 'freeze',
  does: 'stops capture by SIGSTOP for 3 s at half of full load: not one packet is lost',
  limitMinutes: 15,
  run: async ({ seed, calls: wanted = usualCalls }) => {
    const sipPort = await freePort();
    await using system = await startSystem({
      REEL_CAPTURE_SIP_PORT: String(sipPort),
      REEL_CAPTURE_CAPACITY: String(voices * wanted),
    });
    const send = await openSender(system.dataDir);
    await using controller = await Calls.open(sipPort);
    const calls = await controller.placeAll(wanted, voices);
    const ports = calls.flatMap(({ rtpPorts }) => rtpPorts);
    const pid = await pidOf(system, 'capture');
    const sending = send(ports, secondsSent);
    await sleep(earliestMs + randomFrom(seed).below(latestMs - earliestMs));
    const stoodMs = await freeze(pid);
    const { sent, failed, latestTickMs } = await sending;
    const dropped = (await Promise.all(ports.map(droppedAt))).reduce((sum, count) => sum + count, 0);
    await controller.hangUp(calls);
    const sealed = new Sealed(system.dataDir);
    const counts = await Promise.all(calls.map((call) => packetsOf(sealed, call)));
    const kept = counts.reduce((sum, count) => sum + count, 0);
    const first = await closedSession(system, (await sealed.find(calls[0]!.callId)).sessionId);

    return [
      losslessRow({
        fault: `SIGSTOP of capture for ${stoodMs} ms`,
        sent,
        kept,
        figures: {
          calls: calls.length,
          'packets a second': Math.round(sent / secondsSent),
          'net.core.rmem_max': await readNumber('/proc/sys/net/core/rmem_max'),
          'net.core.rmem_default': await readNumber('/proc/sys/net/core/rmem_default'),
          'dropped by the kernel': dropped,
          "sender's worst tick, ms late": latestTickMs,
          'first session': first.state,
        },
        limits: [
          { name: 'not sent', found: failed, atMost: 0 },
          { name: 'calls that had their ports', found: ports.length, atLeast: voices * wanted },
        ],
      }),
    ];
  },
};
