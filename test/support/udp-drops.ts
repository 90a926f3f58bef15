import { readFile } from 'node:fs/promises';

/** Datagrams that the UDP sockets on a port of this machine had no room for since they were opened (man 5 proc_net). */
export const droppedAt = async (port: number): Promise<number> => {
  const tables = await Promise.all(
    ['udp', 'udp6'].map((name) => readFile(`/proc/net/${name}`, 'latin1').catch(() => '')),
  );
  const hexadecimal = port.toString(16).toUpperCase().padStart(4, '0');
  const ours = tables
    .flatMap((table) => table.split('\n').map((line) => line.trim().split(/\s+/)))
    .filter(([, local]) => local?.endsWith(`:${hexadecimal}`));

  return ours.reduce((sum, fields) => sum + Number(fields.at(-1)), 0);
};
