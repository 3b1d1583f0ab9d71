/**
 * How netfold's things on a machine are called. The names are the marks of ownership: whatever bears one is netfold's,
 * and `netfold cleanup` removes it also when no state file tells of it.
 */
import { join } from 'node:path';
import { OWN_NAMESPACE } from '../agent/kernel/netns/namespace-files.ts';

/** The words that run a command in a namespace. */
export const inNamespace = (name: string, command: readonly string[]): string[] =>
  name === OWN_NAMESPACE ? [...command] : ['ip', 'netns', 'exec', name, ...command];

/** The port on which agents meet, on their host's own address. */
export const MESH_PORT = 4646;

/** Experiments, endpoints and hosts: `netfold.lab.client.0`, `netfold.lab+host0`, `netfold.lab+fabric`. */
export const NAMESPACE_PREFIX = 'netfold.';
/** State, sockets and outputs of running experiments; /run is emptied at boot, as the kernel's state is. */
export const RUN_FOLDER = '/run/netfold';
/** Files that `ip netns exec` puts over /etc inside a namespace. */
export const NETNS_ETC_FOLDER = '/etc/netns';

export const endpointNamespace = (experiment: string, endpoint: string): string =>
  `${NAMESPACE_PREFIX}${experiment}.${endpoint}`;
export const hostName = (index: number): string => `host${index}`;
export const hostNamespace = (experiment: string, host: string): string =>
  `${NAMESPACE_PREFIX}${experiment}+${host}`;
export const fabricNamespace = (experiment: string): string => hostNamespace(experiment, 'fabric');

/** Name of the experiment that a namespace belongs to; `undefined` for namespaces that aren't netfold's. */
export function experimentOf(namespace: string): string | undefined {
  return /^netfold\.([A-Za-z0-9][A-Za-z0-9_-]{0,39})[.+]./.exec(namespace)?.[1];
}

export const experimentFolder = (experiment: string): string => join(RUN_FOLDER, experiment);
export const stateFile = (experiment: string): string =>
  join(experimentFolder(experiment), 'experiment.json');
export const controllerSocket = (experiment: string): string =>
  join(experimentFolder(experiment), 'controller.sock');
export const agentSocket = (experiment: string, host: string): string =>
  join(experimentFolder(experiment), `${host}.sock`);
export const logFile = (experiment: string, name: string): string =>
  join(experimentFolder(experiment), 'logs', `${name}.log`);
export const meshKeyFile = (experiment: string): string => join(experimentFolder(experiment), 'mesh.key');
/** Of one host's agent. */
export const identityFolder = (experiment: string, host: string): string =>
  join(experimentFolder(experiment), 'identity', host);
/** What one host's agent is told at its start, for a controller that comes after. The mesh's key is in it. */
export const bootstrapFile = (experiment: string, host: string): string =>
  join(experimentFolder(experiment), 'bootstrap', `${host}.json`);
export const hostsFile = (experiment: string): string => join(experimentFolder(experiment), 'hosts');
