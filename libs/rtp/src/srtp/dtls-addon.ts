import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dtlsFile } from '../../native/dtls/build.mjs';

/** `native/dtls/addon.c`: Node's own OpenSSL. Throws where memory is short. */
export type DtlsAddon = {
  /** A new key and the certificate that goes with it, as PEM, and the SHA-256 of the latter. */
  identity(): { readonly pem: string; readonly fingerprint: Buffer };
  open(isServer: boolean, pem: Buffer, hash: string, digests: Buffer, digestLength: number): object;
  /** Goes on with what came, or by itself; returns one of `dtlsState`. */
  step(handshake: object, datagram?: Buffer): number;
  /** Its time is over: it repeats what it said last. */
  expire(handshake: object): number;
  /** ms until then; -1: never. */
  timeout(handshake: object): number;
  /** Lays the next datagram that is to be sent into `into`, and returns its length; 0: there is none. */
  outgoing(handshake: object, into: Buffer): number;
  /** Fills `into` with keying material (RFC 5764 §4.2), and returns the name of the profile. */
  keys(handshake: object, into: Buffer): string | undefined;
  reason(handshake: object): string;
  /** Whether it has failed because of the peer's certificate. */
  differs(handshake: object): boolean;
  close(handshake: object): void;
};

export const dtlsState = { shaking: 0, done: 1, failed: 2 } as const;

type Loaded = { readonly addon: DtlsAddon } | { readonly obstacle: string };

const load = (): Loaded => {
  const file = dtlsFile();
  if (!existsSync(file))
    return {
      obstacle:
        'DTLS was not built: npm run setup does, where there are a C compiler and the headers of Node',
    };
  try {
    return { addon: createRequire(import.meta.url)(file) as DtlsAddon };
  } catch (error) {
    return { obstacle: `DTLS could not be loaded: ${String(error)}` };
  }
};

let loaded: Loaded | undefined;

/** Loaded where it is asked for first, once for each thread. */
const theAddon = (): Loaded => (loaded ??= load());

/** Why nobody can shake hands here; undefined where all is there. */
export const dtlsObstacle = (): string | undefined => {
  const it = theAddon();

  return 'obstacle' in it ? it.obstacle : undefined;
};

/** Throws where there is an obstacle. */
export const dtlsAddon = (): DtlsAddon => {
  const it = theAddon();
  if ('obstacle' in it) throw new Error(it.obstacle);

  return it.addon;
};
