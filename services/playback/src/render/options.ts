import { AV_OPT_SEARCH_CHILDREN, AV_OPT_TYPE_STRING } from 'node-av/constants';
import type { OptionMember } from 'node-av/lib';

/**
 * Sets options of an encoder or a muxer by name. Never hand them over as a Dictionary: FFmpeg frees what it consumes of one,
 * and node-av 6.1's finaliser then writes to freed memory. Throws where there is no such option.
 */
export const setOptions = (
  target: Pick<OptionMember<never>, 'setOption'>,
  options: Readonly<Record<string, string>>,
): void => {
  for (const [name, value] of Object.entries(options)) {
    const result = target.setOption(name, value, AV_OPT_TYPE_STRING, AV_OPT_SEARCH_CHILDREN);
    if (result < 0) throw new Error(`FFmpeg has no option ${name}=${value} here (${result})`);
  }
};
