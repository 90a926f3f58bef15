import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { withTables } from './tables.ts';

/** Rewrites the generated part of docs/sip-conformance.md: `node libs/sip-server/src/conformance/generate-docs.ts`. */
const path = new URL('../../../../docs/sip-conformance.md', import.meta.url);
writeFileSync(path, withTables(existsSync(path) ? readFileSync(path, 'utf8') : '# SIP conformance\n'));
