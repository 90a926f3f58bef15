import { openDgramSource } from './dgram-source.ts';
import { openNativeSource } from './native-source.ts';
import type { PacketSource } from './packet-source.ts';

export const packetSources = ['auto', 'native', 'dgram'] as const;
/** Which packet source to use; `auto`: the native one where it was built. */
export type PacketSourceChoice = (typeof packetSources)[number];

/** Throws where the native source is asked for and there is none. */
export const openPacketSource = (choice: PacketSourceChoice = 'auto'): PacketSource => {
  if (choice === 'dgram') return openDgramSource();
  const native = openNativeSource();
  if (native) return native;
  if (choice === 'auto') return openDgramSource();
  throw new Error(
    'the native packet source was not built: npm run setup builds it where there is a C compiler',
  );
};
