/**
 * The names of a local lab. They are the marks of ownership: everything with such a name is netfold's, and `netfold
 * cleanup` removes it, also without a state file.
 */
import { join } from 'node:path';
import { experimentFolder } from '../../names.ts';

/** Experiments, endpoints and hosts: `netfold.lab.client.0`, `netfold.lab+host0`, `netfold.lab+fabric`. */
export const NAMESPACE_PREFIX = 'netfold.';
/** Files that `ip netns exec` puts over /etc inside a namespace. */
export const NETNS_ETC_FOLDER = '/etc/netns';

export const endpointNamespace = (experiment: string, endpoint: string): string =>
  `${NAMESPACE_PREFIX}${experiment}.${endpoint}`;
export const hostNamespace = (experiment: string, host: string): string =>
  `${NAMESPACE_PREFIX}${experiment}+${host}`;
export const fabricNamespace = (experiment: string): string => hostNamespace(experiment, 'fabric');

/** Name of the experiment that a namespace belongs to; `undefined` for namespaces that aren't netfold's. */
export function experimentOf(namespace: string): string | undefined {
  return /^netfold\.([A-Za-z0-9][A-Za-z0-9_-]{0,39})[.+]./.exec(namespace)?.[1];
}

/** Files of all endpoints of an experiment, which are put over those in /etc. */
export const hostsFile = (experiment: string): string => join(experimentFolder(experiment), 'hosts');
export const resolverFile = (experiment: string): string => join(experimentFolder(experiment), 'resolv.conf');
export const switchFile = (experiment: string): string => join(experimentFolder(experiment), 'nsswitch.conf');
