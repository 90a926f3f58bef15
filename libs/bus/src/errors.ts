/** Why a stream can't give what must follow a position: names of the cause in `position.rewound`. */
export type Loss = 'tail-lost' | 'id-mismatch' | 'gap';

type Code =
  /** Nobody listens on the subject, or we are not connected: the request was not heard. */
  | 'BUS_NO_RESPONDER'
  /** No answer in time: the request may have been heard. */
  | 'BUS_TIMEOUT'
  /** An option of ours that this server ignores or does not know. */
  | 'BUS_UNSUPPORTED'
  /** The server refused for a reason that a retry can't mend. */
  | 'BUS_REFUSED'
  /** The stream no longer holds what must follow a position; see `loss`. */
  | 'BUS_SEQUENCE_LOST'
  /** The bus was disposed of. */
  | 'BUS_CLOSED';

const faults: Record<Code, 'ours' | 'theirs'> = {
  BUS_NO_RESPONDER: 'theirs',
  BUS_TIMEOUT: 'theirs',
  BUS_UNSUPPORTED: 'theirs',
  BUS_REFUSED: 'theirs',
  BUS_SEQUENCE_LOST: 'theirs',
  BUS_CLOSED: 'ours',
};

/** What callers of the bus handle, told apart by `code`. */
export class BusError extends Error {
  readonly code: Code;
  readonly fault: 'ours' | 'theirs';
  /** For BUS_SEQUENCE_LOST: how the stream differs from what was read before. */
  readonly loss: Loss | undefined;

  constructor(code: Code, message: string, options?: ErrorOptions & { readonly loss?: Loss }) {
    super(message, options);
    this.name = 'BusError';
    this.code = code;
    this.fault = faults[code];
    this.loss = options?.loss;
  }
}
