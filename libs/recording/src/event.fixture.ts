import type { RawEvent } from '@reelstream/events';

/** An event for tests; `rest` goes over what it says otherwise. */
export const eventOf = (version: number, rest: Partial<RawEvent> = {}): RawEvent => ({
  specversion: '1.0',
  id: '019abcde-0000-7000-8000-000000000001',
  type: 'session.updated',
  source: '/local/capture-1',
  subject: '019abcde-0000-7000-8000-000000000000',
  time: '2025-11-25T00:00:00.000Z',
  origin: 'primary',
  version,
  epoch: 1,
  schema: 1,
  data: {},
  ...rest,
});
