/**
 * Renders one recording. Decoders of foreign make read here what came from the wire, so this is a process of its own,
 * which holds no secret and may die. The job is the first line of standard input; the end of that ends this process too.
 */
import { setPriority } from 'node:os';
import { RenderError } from './errors.ts';
import type { Job, Report } from './job.ts';
import { render } from './render.ts';

const lowestPriority = 19;

const say = (report: Report): void => void process.stdout.write(`${JSON.stringify(report)}\n`);

const firstLine = (): Promise<string> =>
  new Promise((resolve) => {
    let text = '';
    process.stdin.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end >= 0) resolve(text.slice(0, end));
    });
  });

const failure = (error: unknown): Report => {
  if (error instanceof RenderError) return { kind: 'failed', code: error.code, message: error.message };
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'RENDERING';

  return { kind: 'failed', code, message: String(error) };
};

// Recording comes first on a machine that does both.
setPriority(lowestPriority);
process.stdin.once('end', () => process.exit(1));
try {
  const job = JSON.parse(await firstLine()) as Job;
  const { path, notes } = await render(job, (progress) => say({ kind: 'progress', progress }));
  say({ kind: 'done', path, notes });
} catch (error) {
  say(failure(error));
  process.exitCode = 1;
}
process.stdin.destroy();
