const companions = new Set(['TELEPHONE-EVENT', 'CN', 'RED', 'ULPFEC', 'FLEXFEC', 'FLEXFEC-03', 'RTX']);

/** Whether a payload of this encoding name accompanies media, and is no codec of a track. */
export const isCompanion = (codec: string): boolean => companions.has(codec.toUpperCase());
