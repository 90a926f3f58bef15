const codes: readonly (string | undefined)[] = ['ENOSPC', 'EDQUOT'];

/** Whether a write has failed for what passes as soon as there is room, and what another file would meet, too. */
export const isWantOfRoom = (code: string | undefined): boolean => codes.includes(code);
