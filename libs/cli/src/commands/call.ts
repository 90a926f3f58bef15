import { setTimeout as sleep } from 'node:timers/promises';
import { CallError, placeSiprecCall } from '@reelstream/testing/callers';
import type { PlacedCall } from '@reelstream/testing/callers';
import type { Api, Session } from '../api.ts';
import type { Command } from '../command.ts';
import { CliError, exitCodes } from '../errors.ts';
import type { Output } from '../output.ts';
import { formatDuration } from '../table.ts';
import { legsOf, readCallRequest } from './call-options.ts';

const sealedWithinMs = 30_000;
const askAgainMs = 200;

type Placed = Awaited<ReturnType<typeof placeSiprecCall>>;

const explain = (error: unknown, target: string): never => {
  if (!(error instanceof CallError)) throw error;
  const hint = error.code === 'CALL_UNREACHABLE' ? '\nIs it running? Start it with:  npm start' : '';
  const exitCode = error.code === 'CALL_UNREACHABLE' ? exitCodes.notRunning : exitCodes.failed;
  throw new CliError(`the call to ${target} failed: ${error.message}${hint}`, exitCode, { cause: error });
};

/** Sends until the audio, or the user's patience, or the other side's, is at an end. */
const talk = async (call: PlacedCall, output: Output, interrupted: AbortSignal): Promise<void> => {
  const startedAt = performance.now();
  const show = (): void => {
    const packets = call.sent.map((leg) => leg.packets).join(' + ');
    output.progress(
      `Talking  ${formatDuration(performance.now() - startedAt)}  ${packets} packets  (Ctrl-C hangs up)`,
    );
  };
  const ticking = setInterval(show, 500);
  const stopped = new Promise<void>((resolve) => {
    if (interrupted.aborted) resolve();
    interrupted.addEventListener('abort', () => resolve(), { once: true });
  });
  try {
    await Promise.race([call.mediaSent, call.ended, stopped]);
  } finally {
    clearInterval(ticking);
  }
};

/** The session this call became, once `enough` of it is known; undefined if that takes too long. */
const awaitSession = async (
  api: Api,
  callId: string,
  enough: (session: Session) => boolean,
): Promise<Session | undefined> => {
  const deadline = performance.now() + sealedWithinMs;
  let found: Session | undefined;
  while (performance.now() < deadline) {
    if (found) found = await api.session(found.sessionId);
    else {
      const { items } = await api.sessions({ limit: '50' });
      found = items.find(({ dialogs = [] }) => dialogs.some((dialog) => dialog.callId === callId));
    }
    if (found && enough(found)) return found;
    await sleep(askAgainMs);
  }

  return found;
};

const report = (call: Placed, session: Session | undefined, output: Output): void => {
  const { callId, sipSessionId, siprecSessionId } = call;
  const sealed = session?.recording !== undefined;
  if (output.json) {
    output.value({
      sessionId: session?.sessionId,
      state: session?.state,
      sealed,
      callId,
      sipSessionId,
      siprecSessionId,
      redirectedTo: call.redirectedTo,
      answeredAfterMs: Math.round(call.answeredAfterMs * 10) / 10,
      packets: call.sent.map(({ packets }) => packets),
    });
  }
  if (!session)
    throw new CliError(`no session with Call-ID ${callId} came up within ${sealedWithinMs / 1000} s`);
  if (!sealed)
    throw new CliError(`session ${session.sessionId} was not sealed within ${sealedWithinMs / 1000} s`);
  if (output.json) return;
  output.line(`Session ${session.sessionId}  ${session.state}`);
  output.say(`Listen to it:  npx reel export ${session.sessionId} -o call.wav`);
};

export const callCommand: Command = {
  name: 'call',
  summary: 'place a call that is recorded: two voices, in real time, over SIPREC',
  help: `Usage: reel call [options]

Places a call as a session recording client (SIPREC, RFC 7866), follows the redirect, sends two voices in
real time, hangs up, and waits until the recording is sealed. Prints the session's id.

  --to URI              whom to dial; default: this system's pilot
  --transport tcp|udp|tls   for the first INVITE; default tcp
  --tls                 over TLS; whatever certificate the system shows is taken
  --srtp                media encrypted with keys in the SDP (SRTP by SDES), over TLS
  --seconds N           how long; the audio starts over at its end. Default: once
  --file A.wav B.wav    one file for each voice, or one with two channels: 8000 samples a second,
                        16-bit PCM or G.711. Default: the built-in sample
  --json                one line of JSON at the end instead

Examples:
  reel call
  reel call --seconds 60 --transport udp
  reel call --srtp
  reel call --to sip:9000@recorder.example.com --file agent.wav customer.wav
  reel export "$(reel call --json | jq -r .sessionId)" -o call.wav
`,
  options: {
    to: { type: 'string' },
    transport: { type: 'string' },
    tls: { type: 'boolean' },
    srtp: { type: 'boolean' },
    seconds: { type: 'string' },
    file: { type: 'string', multiple: true },
  },
  positionals: [0, 2],
  run: async ({ values, positionals, output, system, api, interrupted }) => {
    const { target, transport, srtp, durationMs, files } = readCallRequest(values, positionals, system);
    const legs = await legsOf(files);
    output.say(
      `Calling ${target} over ${transport.toUpperCase()}${srtp === undefined ? '' : `, media by ${srtp}`}`,
    );
    const call = await placeSiprecCall({
      target,
      transport,
      legs,
      ...(srtp === undefined ? {} : { srtp }),
      ...(durationMs === undefined ? {} : { durationMs }),
      signal: interrupted,
    }).catch((error: unknown) => explain(error, target));
    const by = call.redirectedTo === undefined ? target : `${call.redirectedTo}, where we were redirected`;
    output.say(`Answered after ${Math.round(call.answeredAfterMs)} ms by ${by}`);
    await talk(call, output, interrupted);
    await call.hangUp();
    output.say(
      `Hung up after ${call.sent.map(({ packets }) => packets).join(' + ')} packets; waiting for the seal`,
    );
    report(call, await awaitSession(api, call.callId, ({ recording }) => recording !== undefined), output);
  },
};
