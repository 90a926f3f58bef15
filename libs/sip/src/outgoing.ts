import type { Connection } from './connection.ts';
import { placedId, SipDialog } from './dialog.ts';
import type { DialogTable } from './dialog.ts';
import { DigestClient } from './digest-client.ts';
import { asError } from './errors.ts';
import { readMessage } from './message.ts';
import type { MessageText } from './message.ts';
import { parseNameAddr } from './name-addr.ts';
import { redirectTargets } from './redirect-targets.ts';
import type { SrfMessage, SrfSentRequest } from './srf.ts';
import type { CallOutcome, Headers, OutgoingCall } from './types.ts';

/** Redirects followed and challenges answered in one call, at most: more would be a circle. */
const mostRedirects = 5;
const mostChallenges = 8;

/** The final answer to one INVITE. */
type Final = {
  readonly status: number;
  readonly reason: string;
  readonly message: MessageText;
  readonly acknowledge: (headers: Headers) => void;
};

/** One INVITE of a call: a call may take several, all with its Call-ID and From tag (RFC 3261 §8.1.3.4, §8.1.3.5). */
type Attempt = {
  readonly uri: string;
  /** Undefined for the first: the server counts from where it likes. */
  readonly cseq: number | undefined;
  readonly proof: Headers;
};

/**
 * Places a call (RFC 3261 §13.2), answers challenges and follows redirects as far as it may. Not by srf's createUAC, which
 * acknowledges a 2xx before the application has seen it: a call is journalled first. Throws SipError `SIP_DISCONNECTED`,
 * `SIP_UNANSWERED`, `SIP_REFUSED` or `SIP_UNSENDABLE`.
 */
export const placeCall = async (
  connection: Connection,
  dialogs: DialogTable,
  call: OutgoingCall,
): Promise<CallOutcome> => {
  let client = call.credentials && new DigestClient(call.credentials);
  const targets = [call.uri];
  const followed: string[] = [];
  let challenges = 0;
  let cseq: number | undefined;
  for (;;) {
    const uri = targets[0] ?? call.uri;
    const proof = client?.headers({ method: 'INVITE', uri }) ?? {};
    const outcome = await invite(connection, call, { uri, cseq, proof }, (final) =>
      final.status < 300 ? answered(connection, dialogs, call, { final, proof, client }) : final,
    );
    if ('answered' in outcome) return outcome;
    const { status, reason, message } = outcome;
    const valueOf = (name: string): string => message.headers.get(name)?.join(', ') ?? '';
    cseq = Number.parseInt(valueOf('cseq'), 10) + 1;
    const wasTakenBack = call.signal?.aborted ?? false;
    const failed = { answered: false, status, reason, followed, wasTakenBack } as const;
    if (wasTakenBack) return failed;
    if (challenges < mostChallenges && client?.take(status, valueOf)) challenges++;
    else {
      targets.splice(0, 1, ...(status < 400 ? redirectTargets(valueOf('contact')) : []));
      const next = targets.findIndex((target) => mayFollow(call, followed, target));
      if (next < 0 || status >= 600 || followed.length >= mostRedirects) return failed;
      followed.push(targets.splice(0, next + 1).at(-1) ?? call.uri);
      targets.unshift(followed.at(-1)!);
      // What was shown to one target is not shown to the next before that asks.
      client = call.credentials && new DigestClient(call.credentials);
    }
  }
};

const mayFollow = (
  { uri, mayFollow: allowed }: OutgoingCall,
  followed: readonly string[],
  target: string,
): boolean => target !== uri && !followed.includes(target) && (allowed?.(target) ?? false);

/** Sends one INVITE and resolves with what `finish` makes of its final answer, in the turn in which that came. */
const invite = <R>(
  connection: Connection,
  call: OutgoingCall,
  attempt: Attempt,
  finish: (final: Final) => R,
): Promise<R> => {
  let sent: SrfSentRequest | undefined;
  let isOver = false;
  const takeBack = (): void => {
    if (!isOver) sent?.cancel((error) => error && connection.report(asError(error)));
  };
  call.signal?.addEventListener('abort', takeBack, { once: true });

  return connection
    .ask<Final, R>(
      (done) =>
        connection.engine.request(attempt.uri, requestOf(call, attempt), (error, request) => {
          if (error || !request) return done(error ?? 'not sent');
          sent = request;
          request.on('response', (response, acknowledge) => {
            if (response.status < 200) return;
            done(
              undefined,
              finalOf(response, (headers) => acknowledge({ headers: { ...headers } })),
            );
          });
          if (call.signal?.aborted) takeBack();
        }),
      (final) => {
        isOver = true;
        if (!final) throw new Error('a call ended without a final response');

        return finish(final);
      },
    )
    .finally(() => call.signal?.removeEventListener('abort', takeBack));
};

const finalOf = (
  { status, reason = '', raw }: SrfMessage & { readonly status: number; readonly reason?: string },
  acknowledge: Final['acknowledge'],
): Final => ({ status, reason, message: readMessage(raw ?? ''), acknowledge });

const requestOf = (
  { uri: called, callId, from, fromTag, contact, proxy, headers, body }: OutgoingCall,
  { uri, cseq, proof }: Attempt,
) => ({
  method: 'INVITE',
  ...(proxy === undefined ? {} : { proxy }),
  headers: {
    'call-id': callId,
    from: `<${from}>;tag=${fromTag}`,
    contact,
    'content-type': 'application/sdp',
    // Whom it is for stays, wherever it is sent on to.
    ...(uri === called ? {} : { to: `<${called}>` }),
    ...(cseq === undefined ? {} : { cseq: `${cseq} INVITE` }),
    ...headers,
    ...proof,
  },
  body,
});

const answered = (
  connection: Connection,
  dialogs: DialogTable,
  { callId, fromTag, uri }: OutgoingCall,
  { final, proof, client }: { final: Final; proof: Headers; client: DigestClient | undefined },
): CallOutcome => {
  const { headers, body } = final.message;
  const remoteTag = parseNameAddr(headers.get('to')?.[0] ?? '').parameters['tag'] ?? '';
  const names = { callId, localTag: fromTag, remoteTag };
  const remoteTarget = parseNameAddr(headers.get('contact')?.[0] ?? '').uri || uri;
  const agreed = { remoteTarget, proof: client };
  const dialog = new SipDialog(connection, dialogs, names, placedId(names), agreed);

  // An ACK can't be challenged: it shows what its INVITE showed (RFC 3261 §22.1).
  return { answered: true, dialog, body, acknowledge: () => final.acknowledge(proof) };
};
