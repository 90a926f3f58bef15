import type { Connection } from './connection.ts';
import { headerName, readMessage } from './message.ts';
import type { SrfSentRequest } from './srf.ts';
import type { DialogResponse, Headers } from './types.ts';

export type Message = {
  readonly headers?: Headers;
  readonly contentType?: string;
  readonly body?: string;
};

const answerOf = (status: number, raw: string | undefined): DialogResponse => {
  const { headers, body } = readMessage(raw ?? '');

  return { status, header: (name) => headers.get(headerName(name))?.join(', '), body };
};

/**
 * Sends a request in a dialog, by the server's id of it; resolves with the final answer. A 2xx to INVITE is acknowledged
 * here. Rejects as `Connection.ask`.
 */
export const requestWithin = (
  connection: Connection,
  stackDialogId: string,
  method: string,
  { headers, contentType, body }: Message,
): Promise<DialogResponse> => {
  const typed = contentType === undefined ? {} : { 'content-type': contentType };
  const options = {
    method,
    stackDialogId,
    headers: { ...headers, ...typed },
    ...(body === undefined ? {} : { body }),
  };
  const follow = (sent: SrfSentRequest, done: (error: unknown, answer?: DialogResponse) => void): void =>
    sent.on('response', (response, acknowledge) => {
      if (response.status < 200) return;
      if (method === 'INVITE' && response.status < 300) acknowledge();
      done(undefined, answerOf(response.status, response.raw));
    });

  return connection.ask<DialogResponse, DialogResponse>(
    (done) =>
      connection.engine.request('sip:placeholder', options, (error, sent) => {
        if (error || !sent) done(error ?? 'not sent');
        else follow(sent, done);
      }),
    (answer) => answer ?? answerOf(0, undefined),
  );
};
