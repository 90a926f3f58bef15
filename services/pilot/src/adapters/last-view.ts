import { readFile, rename, writeFile } from 'node:fs/promises';
import { ControllerEntry, Heartbeat, Rule } from '@reelstream/events';
import type { Logger } from '@reelstream/service';
import Type from 'typebox';
import { Compile } from 'typebox/compile';

/** What a pilot places calls by: the homes as they last spoke, and what operators have set. */
export const LastView = Type.Object({
  homes: Type.Array(Heartbeat),
  rules: Type.Array(Rule),
  controllers: Type.Array(ControllerEntry),
});
export type LastView = Type.Static<typeof LastView>;

const validator = Compile(LastView);
const lookIntervalMs = 1_000;
/** Which homes there are is kept at once; how full they are, only so often: thousands of them speak every second. */
const rewriteMs = 10_000;

/** The view of an earlier life; undefined where there is none that can be read. An empty path: none is kept. */
export const readLastView = async (path: string): Promise<LastView | undefined> => {
  if (path === '') return undefined;
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));

    return validator.Check(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

/**
 * Keeps the view in a file, where it knows of a home: for a life that begins while the bus is away. What is a little old serves as
 * well, and what is lost comes again, so nothing is synced. Returns the end of it.
 */
export const keepLastView = (path: string, view: () => LastView, logger: Logger): (() => void) => {
  if (path === '') return () => undefined;
  let trouble = '';
  let kept = { homes: '', at: 0 };
  const write = async (): Promise<void> => {
    const now = view();
    const homes = now.homes.map(({ nodeId }) => nodeId).join(' ');
    if (homes === '' || (homes === kept.homes && performance.now() < kept.at + rewriteMs)) return;
    kept = { homes, at: performance.now() };
    await writeFile(`${path}.new`, JSON.stringify(now));
    await rename(`${path}.new`, path);
    trouble = '';
  };
  let isWriting = false;
  const timer = setInterval(() => {
    if (isWriting) return;
    isWriting = true;
    write()
      .catch((error: unknown) => {
        if (String(error) !== trouble) logger.warn({ error, path }, 'the view can not be kept');
        trouble = String(error);
      })
      .finally(() => {
        isWriting = false;
      });
  }, lookIntervalMs);

  return () => clearInterval(timer);
};
