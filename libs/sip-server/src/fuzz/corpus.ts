import { readFileSync, readdirSync } from 'node:fs';
import { Caller, OFFER } from '../test-support/messages.ts';

/** Every message of the fixtures, the SIPREC offers as bodies of INVITEs, and a request of each common method. */
export function fuzzCorpus(): Buffer[] {
  const methods = ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'INFO', 'UPDATE', 'PRACK', 'SUBSCRIBE'];
  const own = methods.map((method) => new Caller(`own-${method}`, 5060).request(method, 1, { body: OFFER }));
  return [
    ...filesOf('rfc4475'),
    ...filesOf('rfc5118'),
    ...filesOf('siprec-offers').map(invite),
    ...own.map(toBytes),
  ];
}

function filesOf(name: string): Buffer[] {
  const folder = new URL(`../../fixtures/${name}/`, import.meta.url);
  return readdirSync(folder).map((file) => readFileSync(new URL(file, folder)));
}

function invite(body: Buffer, at: number): Buffer {
  const head = new Caller(`siprec-${at}`, 5060).request('INVITE', 1, {
    extra: ['Require: siprec', 'Content-Type: multipart/mixed;boundary=uniqueBoundary'],
  });
  const text = head.replace('Content-Length: 0', `Content-Length: ${body.length}`);
  return Buffer.concat([toBytes(text), body]);
}

function toBytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}
