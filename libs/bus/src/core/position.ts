import type { Position } from '../types.ts';

const written = /^(\d{1,15}):(\d{1,15})$/;

/** Reads `generation:sequence`; undefined for anything else. */
export const parsePosition = (text: string): Position | undefined => {
  const match = written.exec(text);

  return match ? { generation: Number(match[1]), sequence: Number(match[2]) } : undefined;
};

/** Writes a position as `generation:sequence`. */
export const formatPosition = (position: Position): string => `${position.generation}:${position.sequence}`;
