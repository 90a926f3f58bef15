import { setTimeout as sleep } from 'node:timers/promises';
import { profileFor } from '@reelstream/domain';
import { parseSdp, undescribed } from '@reelstream/sip';
import type { DialogResponse, RequestInfo } from '@reelstream/sip';
import type { CaptureNode } from './capture-node.ts';
import { mostSnapshots, nextTry, snapshotReason } from './core/snapshot.ts';
import type { Try } from './core/snapshot.ts';
import type { Leg } from './leg.ts';

/** How a client can be asked for its metadata; undefined for one that takes no requests of ours, as CUBE. */
export const snapshotWay = (
  { profiles }: Pick<CaptureNode, 'profiles'>,
  info: RequestInfo,
): Try['method'] | undefined => {
  const isCube = info.header('cisco-guid') !== undefined || /cisco/i.test(info.userAgent ?? '');
  const { profile } = profileFor(profiles(), info.source.address);
  if (isCube || profile.acceptsReInvite === false) return undefined;
  const allow = info.header('allow');

  return allow === undefined || /(?:^|,)\s*update\s*(?:,|$)/i.test(allow) ? 'UPDATE' : 'INVITE';
};

const reasonFor = ({ metadata }: Leg): string | undefined =>
  snapshotReason(metadata, metadata !== undefined && undescribed(metadata).length > 0);

/** The story of a snapshot request (RFC 7866 §10.2), where one is needed and may be made. Never rejects. */
export const askForSnapshot = async (node: CaptureNode, leg: Leg): Promise<void> => {
  const method = leg.snapshotWay;
  if (!method || !leg.session || leg.snapshots >= mostSnapshots || reasonFor(leg) === undefined) return;
  leg.snapshots += 1;
  let next: Try | undefined = { method, waitMs: 0 };
  try {
    for (let tries = 1; next; tries += 1) {
      await sleep(next.waitMs, undefined, { signal: node.closing, ref: false });
      const reason = reasonFor(leg);
      if (reason === undefined || leg.session?.isOver !== false) return;
      const answer = await send(leg, next.method, reason);
      node.meters.count('snapshot.asked', String(answer.status));
      const retryAfter = answer.header('retry-after');
      next = nextTry({ status: answer.status, retryAfter }, { method: next.method, tries }, Math.random());
    }
  } catch (error) {
    if (!node.closing.aborted)
      node.log.warn({ error, callId: leg.info.callId }, 'a snapshot could not be asked for');
  }
};

const boundary = 'reelstream-snapshot-request';

const escaped = (text: string): string => text.replace(/[<>&]/g, ' ');

const documentOf = (reason: string): string =>
  '<?xml version="1.0" encoding="UTF-8"?>\r\n' +
  '<requestsnapshot xmlns="urn:ietf:params:xml:ns:recording:1">' +
  `<requestreason xml:lang="en">${escaped(reason)}</requestreason></requestsnapshot>\r\n`;

const send = async (leg: Leg, method: Try['method'], reason: string): Promise<DialogResponse> => {
  const { dialog } = leg;
  if (!dialog) throw new Error('there is no dialog to ask in');
  const headers = { contact: leg.contact };
  if (method === 'UPDATE')
    return dialog.request('UPDATE', {
      headers: { ...headers, 'content-disposition': 'recording-session' },
      contentType: 'application/rs-metadata-request',
      body: documentOf(reason),
    });
  const answer = await dialog.request('INVITE', {
    headers,
    contentType: `multipart/mixed;boundary=${boundary}`,
    body: inParts(leg.offer(), documentOf(reason)),
  });
  if (answer.status < 300) leg.answered(parseSdp(answer.body));

  return answer;
};

/** A re-INVITE has to describe the media as they are, too: without an offer it would ask for one. */
const inParts = (sdp: string, request: string): string =>
  [
    `--${boundary}`,
    'Content-Type: application/sdp',
    '',
    sdp,
    `--${boundary}`,
    'Content-Type: application/rs-metadata-request',
    'Content-Disposition: recording-session',
    '',
    request,
    `--${boundary}--`,
    '',
  ].join('\r\n');
