/** A file system for what is tested; needs mounts of one's own (`runWithOwnMounts`), or root. */
export type MountableDisk = { mount(folder: string): Promise<void>; unmount(): Promise<void> };
