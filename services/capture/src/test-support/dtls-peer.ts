import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { env as environment } from 'node:process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debianPackages, findOnPath, runCommand } from '@reelstream/testing';
import type { Command } from '@reelstream/testing';
import { srtpLengths } from '@reelstream/testing/callers';
import type { SrtpMaster, SrtpSuiteName } from '@reelstream/testing/callers';

const patienceMs = 20_000;
const label = 'EXTRACTOR-dtls_srtp';

/** Profiles as openssl calls them. */
const profiles: Readonly<Partial<Record<SrtpSuiteName, string>>> = {
  AES_CM_128_HMAC_SHA1_80: 'SRTP_AES128_CM_SHA1_80',
  AES_CM_128_HMAC_SHA1_32: 'SRTP_AES128_CM_SHA1_32',
  AEAD_AES_128_GCM: 'SRTP_AEAD_AES_128_GCM',
  AEAD_AES_256_GCM: 'SRTP_AEAD_AES_256_GCM',
};

const openssl = async (args: readonly string[]): Promise<Command> =>
  findOnPath('openssl')
    ? { file: 'openssl', args }
    : (await debianPackages('openssl')).command('openssl', args);

/** Masters of client and server out of keying material (RFC 5764 §4.2). */
const mastersOf = (suite: SrtpSuiteName, material: Buffer): Record<'client' | 'server', SrtpMaster> => {
  const { key, salt } = srtpLengths(suite);
  const cut = (at: number, length: number): Buffer => material.subarray(at, at + length);

  return {
    client: { key: cut(0, key), salt: cut(2 * key, salt) },
    server: { key: cut(key, key), salt: cut(2 * key + salt, salt) },
  };
};

/** A peer in DTLS handshakes by the openssl program, which shares nothing with what is tested. */
export class DtlsPeer implements AsyncDisposable {
  readonly #dir: string;
  readonly #running: ChildProcess[] = [];
  /** The value of `a=fingerprint`. */
  readonly fingerprint: string;

  private constructor(dir: string, fingerprint: string) {
    this.#dir = dir;
    this.fingerprint = fingerprint;
  }

  /** With a key and a certificate of its own. */
  static async open(): Promise<DtlsPeer> {
    const dir = await mkdtemp(join(tmpdir(), 'dtls-peer-'));
    const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    await runCommand(
      await openssl(['req', '-x509', ...curve, '-keyout', key, '-out', cert, '-subj', '/CN=peer']),
    );
    const said = await runCommand(await openssl(['x509', '-in', cert, '-noout', '-fingerprint', '-sha256']));

    return new DtlsPeer(dir, `sha-256 ${/=([0-9A-F:]+)/.exec(said)?.[1] ?? ''}`);
  }

  /** Shakes hands as client; resolves with the master it sends under. Rejects where that fails. */
  async call(port: number, suite: SrtpSuiteName): Promise<SrtpMaster> {
    const material = await this.#shake(['s_client', '-connect', `127.0.0.1:${port}`], suite);

    return mastersOf(suite, material).client;
  }

  /** Waits on a port for one that shakes hands as client. */
  async wait(port: number, suite: SrtpSuiteName): Promise<SrtpMaster> {
    const args = ['s_server', '-accept', `127.0.0.1:${port}`, '-Verify', '1'];

    return mastersOf(suite, await this.#shake(args, suite)).server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#running) if (child.exitCode === null) child.kill('SIGKILL');
    await rm(this.#dir, { recursive: true, force: true });
  }

  async #shake(args: readonly string[], suite: SrtpSuiteName): Promise<Buffer> {
    const { key, salt } = srtpLengths(suite);
    const exported = ['-keymatexport', label, '-keymatexportlen', String(2 * (key + salt))];
    const own = ['-cert', join(this.#dir, 'cert.pem'), '-key', join(this.#dir, 'key.pem')];
    const {
      file,
      args: all,
      env,
    } = await openssl([...args, '-dtls1_2', '-use_srtp', profiles[suite] ?? '', ...exported, ...own]);
    const child = spawn(file, all, { env: { ...environment, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#running.push(child);
    let said = '';
    const hear = (bytes: Buffer): void => void (said += bytes.toString());
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    const ended = once(child, 'close');
    for (const deadline = performance.now() + patienceMs; performance.now() < deadline;) {
      const material = /Keying material: ([0-9A-F]+)\n/.exec(said)?.[1];
      if (material) return Buffer.from(material, 'hex');
      const isOver = await Promise.race([
        ended.then(() => true),
        new Promise<false>((resolve) => void setTimeout(() => resolve(false), 20)),
      ]);
      if (isOver) break;
    }
    throw new Error(`no handshake: ${said}`);
  }
}
