import type { SessionEvent } from '@reelstream/domain';

/** What the log says of an event beside session and version: how to find the call, and how it went. */
export const toldOf = (event: SessionEvent): Readonly<Record<string, unknown>> => {
  switch (event.type) {
    case 'session.started': {
      const { controller, dialogs } = event.data;

      return { controller: controller.type, callIds: dialogs.map(({ callId }) => callId) };
    }
    case 'session.updated':
      return { reason: event.data.reason };
    case 'session.resumed':
      return { awayMs: event.data.interruptions?.at(-1)?.durationMs };
    case 'session.ended': {
      const { state, endReason, durationMs } = event.data;

      return { state, endReason, durationMs };
    }
    case 'recording.sealed':
      return { sizeBytes: event.data.sizeBytes, recovered: event.data.recovered };
    case 'recording.removed':
      return { cause: event.data.cause };
  }
};
