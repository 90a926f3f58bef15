export function dtlsFile(version?: string): string;
export function buildDtls(node?: string): Promise<boolean>;
