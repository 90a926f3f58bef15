// Plain JavaScript for Node 18 and later: part of setting up a checkout.
import { fileURLToPath } from 'node:url';
import { buildOverOpenSsl, fileOverOpenSsl } from '../node-openssl.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Where the ciphers for this Node lie, built or not. */
export const srtpFile = () => fileOverOpenSsl(here, 'srtp');

/** Builds them for a Node: without its headers or without a compiler its `crypto` opens SRTP, at five times the cost. */
export const buildSrtp = (node) => buildOverOpenSsl(here, 'srtp', node);
