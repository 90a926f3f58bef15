import type { Connection } from './connection.ts';
import { placedId, SipDialog } from './dialog.ts';
import type { DialogTable } from './dialog.ts';
import { asError } from './errors.ts';
import { readMessage } from './message.ts';
import { parseNameAddr } from './name-addr.ts';
import type { SrfMessage, SrfSentRequest } from './srf.ts';
import type { CallOutcome, OutgoingCall } from './types.ts';

type Final = {
  readonly response: SrfMessage & { readonly status: number; readonly reason?: string };
  readonly acknowledge: () => void;
};

/**
 * Places a call (RFC 3261 §13.2). Not by srf's createUAC, which acknowledges a 2xx before the application has seen it: a call
 * is journalled first. Throws SipError `SIP_DISCONNECTED`, `SIP_REFUSED` or `SIP_UNSENDABLE`.
 */
export const placeCall = (
  connection: Connection,
  dialogs: DialogTable,
  call: OutgoingCall,
): Promise<CallOutcome> => {
  let sent: SrfSentRequest | undefined;
  let isOver = false;
  const takeBack = (): void => {
    if (!isOver) sent?.cancel((error) => error && connection.report(asError(error)));
  };
  call.signal?.addEventListener('abort', takeBack, { once: true });

  return connection
    .ask<Final, CallOutcome>(
      (done) =>
        connection.engine.request(call.uri, requestOf(call), (error, request) => {
          if (error || !request) return done(error ?? 'not sent');
          sent = request;
          request.on('response', (response, acknowledge) => {
            if (response.status >= 200) done(undefined, { response, acknowledge: () => acknowledge() });
          });
          if (call.signal?.aborted) takeBack();
        }),
      (final) => {
        isOver = true;

        return outcomeOf(connection, dialogs, call, final);
      },
    )
    .finally(() => call.signal?.removeEventListener('abort', takeBack));
};

const requestOf = ({ callId, from, fromTag, contact, proxy, headers, body }: OutgoingCall) => ({
  method: 'INVITE',
  ...(proxy === undefined ? {} : { proxy }),
  headers: {
    'call-id': callId,
    from: `<${from}>;tag=${fromTag}`,
    contact,
    'content-type': 'application/sdp',
    ...headers,
  },
  body,
});

const outcomeOf = (
  connection: Connection,
  dialogs: DialogTable,
  { callId, fromTag, signal }: OutgoingCall,
  final: Final | undefined,
): CallOutcome => {
  if (!final) throw new Error('a call ended without a final response');
  const { response, acknowledge } = final;
  const { status, reason = '' } = response;
  const { headers, body } = readMessage(response.raw ?? '');
  if (status >= 300) return { answered: false, status, reason, wasTakenBack: signal?.aborted ?? false };
  const remoteTag = parseNameAddr(headers.get('to')?.[0] ?? '').parameters['tag'] ?? '';
  const names = { callId, localTag: fromTag, remoteTag };
  const dialog = new SipDialog(connection, dialogs, names, placedId(names));

  return { answered: true, dialog, body, acknowledge };
};
