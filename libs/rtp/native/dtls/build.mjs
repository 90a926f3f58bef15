// Plain JavaScript for Node 18 and later: part of setting up a checkout.
import { fileURLToPath } from 'node:url';
import { buildOverOpenSsl, fileOverOpenSsl } from '../node-openssl.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Where the handshakes for this Node lie, built or not. */
export const dtlsFile = () => fileOverOpenSsl(here, 'dtls');

/** Builds them for a Node: without its headers or without a compiler DTLS-SRTP is refused. */
export const buildDtls = (node) => buildOverOpenSsl(here, 'dtls', node);
