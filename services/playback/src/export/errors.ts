/** Why media can't be had in the form that was asked for; `code` and `status` go into the problem that answers. */
export class ExportError extends Error {
  override readonly name = 'ExportError';
  readonly code: 'CODEC_NOT_DECODABLE' | 'WAV_TOO_LARGE' | 'PLAYBACK_BUSY';
  readonly fault: 'ours' | 'theirs';

  constructor(code: ExportError['code'], message: string) {
    super(message);
    this.code = code;
    this.fault = code === 'PLAYBACK_BUSY' ? 'ours' : 'theirs';
  }
}
