export function dtlsFile(): string;
export function buildDtls(node?: string): Promise<boolean>;
