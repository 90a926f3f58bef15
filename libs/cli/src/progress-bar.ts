const width = 30;

/** A bar and the part done in percent, from a number between 0 and 1. */
export const progressBar = (progress: number): string => {
  const part = Math.min(1, Math.max(0, progress));
  const filled = Math.round(part * width);

  return `[${'#'.repeat(filled)}${'.'.repeat(width - filled)}] ${Math.floor(part * 100)} %`;
};
