// Run by the boot script beside the installation of packages: needs none of them.
import { findNatsServer } from './nats-binary.ts';

// Who starts the server reports what is missing.
await findNatsServer().catch(() => undefined);
