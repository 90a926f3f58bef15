import { execFile } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debianPackages, freePorts } from '@reelstream/testing';

const scenarios = new URL('../stories/scenarios/', import.meta.url);

/** The speech that comes with SIPp: 236 packets of 30 ms, PCMA. */
export const speechCapture = async (): Promise<string> =>
  join((await debianPackages('sip-tester')).root, 'usr/share/sip-tester/g711a.pcap');

/** Runs a SIPp scenario once against `target` (host:port); rejects with SIPp's own words when it fails. */
export const runSipp = async (
  scenario: string,
  target: string,
  fill: Readonly<Record<string, string>>,
): Promise<void> => {
  const sipp = await debianPackages('sip-tester');
  let text = await readFile(new URL(scenario, scenarios), 'utf8');
  for (const [name, value] of Object.entries(fill)) text = text.replaceAll(`{{${name}}}`, value);
  const folder = await mkdtemp(join(tmpdir(), 'reelstream-sipp-'));
  const file = join(folder, scenario);
  await writeFile(file, text);
  const [port = 0, media = 0] = await freePorts(2);
  const options = ['-sf', file, '-m', '1', '-i', '127.0.0.1', '-mi', '127.0.0.1', '-nostdin', '-trace_err'];
  const command = sipp.command('sipp', [target, '-p', String(port), '-mp', String(media & ~1), ...options]);
  await new Promise<void>((resolve, reject) => {
    execFile(
      command.file,
      command.args,
      { cwd: folder, env: { ...process.env, ...command.env, TERM: 'dumb' }, timeout: 60_000 },
      (error, stdout, stderr) => {
        if (error)
          reject(new Error(`SIPp failed (${error.code}): ${stderr.slice(-2_000)}${stdout.slice(-2_000)}`));
        else resolve();
      },
    );
  });
};

export const sippFile = (name: string): Promise<string> => readFile(new URL(name, scenarios), 'utf8');
