import { hostname } from 'node:os';
import { integer, name, oneOf, optionalText, secretKey, text, url } from './config.ts';
import { logLevels } from './log.ts';

/** Settings that every service has. */
export const commonSettings = (role: string) => ({
  natsUrl: url('NATS_URL', 'the NATS servers, comma separated', ['nats', 'tls'], 'nats://127.0.0.1:4222'),
  natsReplicas: integer('REEL_NATS_REPLICAS', 'replicas of stream and buckets', { min: 1, max: 5 }, 1),
  clusterId: name('REEL_CLUSTER_ID', 'name of the cluster', 'local'),
  clusterKey: secretKey('REEL_CLUSTER_KEY', 'key of the cluster: 32 bytes in base64', 32),
  nodeId: name('REEL_NODE_ID', 'name of this instance, unique in the cluster', `${role}-1`),
  hostId: text('REEL_HOST_ID', 'name of this machine: what shares its disk', hostname()),
  host: text('REEL_HOST', 'address to bind', '127.0.0.1'),
  advertise: optionalText(
    'REEL_ADVERTISE',
    'network=address list: the address that clients in a network know us by; a bare address for all',
  ),
  logLevel: oneOf('REEL_LOG_LEVEL', 'least level of log lines', logLevels, 'info'),
});
