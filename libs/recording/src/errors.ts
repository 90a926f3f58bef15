/** A session id that carries no time (not a UUIDv7), so that no folder can be named after it. */
export class SessionIdError extends Error {
  override readonly name = 'SessionIdError';
  readonly code = 'RECORDING_SESSION_ID';
  readonly fault = 'theirs';
}

/** The journal could not be written. Nothing of the refused append counts; a later one may succeed. */
export class JournalWriteError extends Error {
  override readonly name = 'JournalWriteError';
  readonly code = 'JOURNAL_WRITE';
  readonly fault = 'ours';
}

/** The folder has no manifest: it isn't sealed. */
export class NotSealedError extends Error {
  override readonly name = 'NotSealedError';
  readonly code = 'RECORDING_NOT_SEALED';
  readonly fault = 'theirs';
}

/** A file of a recording isn't what its name promises; the message says where. */
export class DamagedFileError extends Error {
  override readonly name = 'DamagedFileError';
  readonly code = 'RECORDING_DAMAGED';
  readonly fault = 'ours';
}

/** The recording's files could not be made. The segment log still holds the media; sealing may be repeated. */
export class SealError extends Error {
  override readonly name = 'SealError';
  readonly code = 'RECORDING_SEAL';
  readonly fault = 'ours';
}
