// The door for those who need addresses only, and start often: it leads to no schema.
export { addressFor, hostProblem, parseAdvertise } from './advertise.ts';
export { contains, parseIp, parseNetwork } from './ip.ts';
export type { IpAddress, Network } from './ip.ts';
