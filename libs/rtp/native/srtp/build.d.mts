export function srtpFile(): string;
export function buildSrtp(node?: string): Promise<boolean>;
