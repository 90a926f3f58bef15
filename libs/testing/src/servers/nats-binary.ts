import { findOnPath, isExecutable, runCommand, type Command } from './command.ts';
import { debianPackages } from './debian.ts';
import { ProgramMissingError } from './errors.ts';

/** A nats-server program and its version, as [major, minor, patch]. */
export type NatsBinary = { readonly command: Command; readonly version: readonly [number, number, number] };

/**
 * Finds nats-server: NATS_SERVER_BIN, then PATH, then the cache, into which Debian's package is fetched (about four
 * seconds, once per machine). Rejects with ProgramMissingError, which says how to install it.
 */
export const findNatsServer = async (env: NodeJS.ProcessEnv = process.env): Promise<NatsBinary> => {
  const command = await locate(env);
  const output = await runCommand({ ...command, args: ['--version'] });
  const [, major, minor, patch] = /v(\d+)\.(\d+)\.(\d+)/.exec(output) ?? [];

  return { command, version: [Number(major), Number(minor), Number(patch)] };
};

const locate = async (env: NodeJS.ProcessEnv): Promise<Command> => {
  const given = env['NATS_SERVER_BIN'];
  if (given) {
    if (isExecutable(given)) return { file: given, args: [] };
    throw new ProgramMissingError(`NATS_SERVER_BIN=${given} is no program that can be run`);
  }
  const found = findOnPath('nats-server');
  if (found) return { file: found, args: [] };
  try {
    return (await debianPackages('nats-server')).command('nats-server');
  } catch (error) {
    throw new ProgramMissingError(
      'nats-server was not found and could not be fetched from Debian: install it, or set NATS_SERVER_BIN to its path ' +
        'or NATS_URL to a running server',
      { cause: error },
    );
  }
};
