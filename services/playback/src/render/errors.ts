/** Why a recording can't be rendered in the form that was asked for; the code crosses to the process that asked. */
export class RenderError extends Error {
  override readonly name = 'RenderError';
  readonly code: 'TOO_LONG';
  readonly fault = 'theirs';

  constructor(code: RenderError['code']) {
    super(`the recording can't be rendered: ${code}`);
    this.code = code;
  }
}
