/** What is signed, in the words of Standard Webhooks: `{id}.{timestamp}.{body}`. */
export const signedText = (id: string, timestamp: number, body: string): string =>
  `${id}.${timestamp}.${body}`;

/** The key in a secret of the form `whsec_` + base64, still in base64; undefined for anything else. */
export const keyOfSecret = (secret: string): string | undefined =>
  /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1];

/**
 * The headers of one attempt. `timestamp` is the attempt's, in Unix seconds; `mac` the HMAC-SHA256 of the signed text in
 * base64. `reelstream-attempt` says from 2 on that the delivery may have arrived before.
 */
export const webhookHeaders = (attempt: {
  readonly id: string;
  readonly timestamp: number;
  readonly mac: string;
  readonly number: number;
}): Record<string, string> => ({
  'content-type': 'application/json',
  'user-agent': 'reelstream',
  'webhook-id': attempt.id,
  'webhook-timestamp': String(attempt.timestamp),
  'webhook-signature': `v1,${attempt.mac}`,
  'reelstream-attempt': String(attempt.number),
});
