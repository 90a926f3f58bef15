import { createHmac } from 'node:crypto';
import { decryptSecret } from '@reelstream/service';
import type { Secret } from '@reelstream/service';
import { keyOfSecret } from '../core/signature.ts';

/** Opened keys are kept for this many subscriptions. */
const keysKept = 1_000;

/** Signs with subscriptions' secrets, which lie encrypted under the cluster's key. */
export class Signer {
  readonly #clusterKey: Secret;
  readonly #keys = new Map<string, Buffer>();

  constructor(clusterKey: Secret) {
    this.#clusterKey = clusterKey;
  }

  /** HMAC-SHA256 in base64. Throws for a secret of another cluster, or of another form. */
  mac(encryptedSecret: string, text: string): string {
    return createHmac('sha256', this.#key(encryptedSecret)).update(text).digest('base64');
  }

  #key(encryptedSecret: string): Buffer {
    const kept = this.#keys.get(encryptedSecret);
    if (kept) return kept;
    const encoded = keyOfSecret(decryptSecret(this.#clusterKey, encryptedSecret));
    if (encoded === undefined) throw new Error('the secret is not of the form whsec_…');
    if (this.#keys.size >= keysKept) this.#keys.clear();
    const key = Buffer.from(encoded, 'base64');
    this.#keys.set(encryptedSecret, key);

    return key;
  }
}
