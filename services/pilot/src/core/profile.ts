import { contains, parseIp, parseNetwork } from '@reelstream/domain';

/** What a call controller can do. */
export type ControllerProfile = {
  /** False: it doesn't go where a 302 points, so its INVITEs are forwarded to the home. Default true. */
  readonly followsRedirect?: boolean;
  /** Stands in for the cluster id that old releases don't send; the same for all subscribers of a cluster. */
  readonly pairing?: string;
};

/** By address or network in CIDR form. */
export type ControllerProfiles = Readonly<Record<string, ControllerProfile>>;

const unknownController: ControllerProfile = {};

/** The profile of the narrowest network the controller is in; an empty one for a controller nobody described. */
export const profileOf = (profiles: ControllerProfiles, controllerAddress: string): ControllerProfile => {
  const address = parseIp(controllerAddress);
  let best = { prefix: -1, profile: unknownController };
  for (const [text, profile] of Object.entries(profiles)) {
    const network = parseNetwork(text);
    if (address && network && network.prefix > best.prefix && contains(network, address))
      best = { prefix: network.prefix, profile };
  }

  return best.profile;
};
