import { watchSlowFacts } from '@reelstream/bus';
import type { Bus } from '@reelstream/bus';
import { compileProfiles } from '@reelstream/domain';
import type { ControllerDescription, ProfileBook } from '@reelstream/domain';
import { ControllerEntry } from '@reelstream/events';
import { Compile } from 'typebox/compile';

const isEntry = Compile(ControllerEntry);

/** What operators have said of controllers over the API, as this node last saw it; `read` settles once it has, or a second later. */
export const followProfiles = (
  bus: Bus,
  closing: AbortSignal,
): { readonly profiles: () => ProfileBook; readonly read: Promise<void> } => {
  let book = compileProfiles([]);
  const read = watchSlowFacts(bus, 'controllers', {
    onChange: (current) => {
      book = compileProfiles(
        [...current.values()].flatMap((value): ControllerDescription[] =>
          isEntry.Check(value) ? [{ network: value.network, profile: value.profile, source: 'api' }] : [],
        ),
      );
    },
  }).then((view) => closing.addEventListener('abort', () => view.stop(), { once: true }));

  return { profiles: () => book, read };
};
