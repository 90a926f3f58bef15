/** Why media can't be had in the form that was asked for; `code` goes into the problem that answers. */
export class ExportError extends Error {
  override readonly name = 'ExportError';
  readonly code: 'CODEC_NOT_DECODABLE' | 'RECORDING_TOO_LONG' | 'PLAYBACK_BUSY' | 'RENDERING_FAILED';
  readonly fault: 'ours' | 'theirs';

  constructor(code: ExportError['code'], message: string) {
    super(message);
    this.code = code;
    this.fault = code === 'PLAYBACK_BUSY' || code === 'RENDERING_FAILED' ? 'ours' : 'theirs';
  }
}
