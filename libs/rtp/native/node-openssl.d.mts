export function fileOverOpenSsl(folder: string, name: string, version?: string): string;
export function buildOverOpenSsl(folder: string, name: string, node?: string): Promise<boolean>;
