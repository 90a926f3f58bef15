/** Where a command prints. Results go to standard output, everything said on the way to standard error. */
export type Output = {
  readonly json: boolean;
  /** One line of the result. */
  line(text: string): void;
  /** A value of the result, as one line of JSON. */
  value(value: unknown): void;
  /** What is going on; silent with --json. */
  say(text: string): void;
  /** A line that replaces itself on a terminal, and is left out elsewhere. */
  progress(text: string): void;
};

type Writer = { write(text: string): unknown; readonly isTTY?: boolean };

export const createOutput = (options: {
  readonly json: boolean;
  readonly stdout: Writer;
  readonly stderr: Writer;
}): Output => {
  const { json, stdout, stderr } = options;
  let isUnderProgress = false;
  const endProgress = (): void => {
    if (isUnderProgress) stderr.write('\n');
    isUnderProgress = false;
  };

  return {
    json,
    line: (text) => {
      endProgress();
      stdout.write(`${text}\n`);
    },
    value: (value) => stdout.write(`${JSON.stringify(value)}\n`),
    say: (text) => {
      endProgress();
      if (!json) stderr.write(`${text}\n`);
    },
    progress: (text) => {
      if (json || stderr.isTTY !== true) return;
      stderr.write(`\r\u001b[2K${text}`);
      isUnderProgress = true;
    },
  };
};
