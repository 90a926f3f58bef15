import { randomUUID } from 'node:crypto';

/** 16 hexadecimal digits, 60 bits of them random, for tags and branches; randomUUID is cheap, for Node draws ahead. */
export function randomToken(): string {
  const uuid = randomUUID();
  return uuid.slice(0, 8) + uuid.slice(9, 13) + uuid.slice(14, 18);
}
