export function addonFile(): string;
export function buildAddon(): Promise<boolean>;
