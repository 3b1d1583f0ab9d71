/** Names that do not depend on the platform: hosts, netfold's files on a machine, the port of the mesh. */
import { join } from 'node:path';
import { OWN_NAMESPACE } from '../agent/kernel/netns/namespace-files.ts';
import { OUT_FOLDER } from '../proto/bootstrap.ts';

/** The words that run a command in a namespace. */
export const inNamespace = (name: string, command: readonly string[]): string[] =>
  name === OWN_NAMESPACE ? [...command] : ['ip', 'netns', 'exec', name, ...command];

/** The port of the agents' mesh, on their host's own address. */
export const MESH_PORT = 4646;

/** State, sockets and outputs of running experiments; /run is emptied at boot, like the kernel's state. */
export const RUN_FOLDER = '/run/netfold';
export const hostName = (index: number): string => `host${index}`;
export const experimentFolder = (experiment: string): string => join(RUN_FOLDER, experiment);
export const stateFile = (experiment: string): string =>
  join(experimentFolder(experiment), 'experiment.json');
export const controllerSocket = (experiment: string): string =>
  join(experimentFolder(experiment), 'controller.sock');
export const agentSocket = (experiment: string, host: string): string =>
  join(experimentFolder(experiment), `${host}.sock`);
export const logFolderOf = (experiment: string): string => join(experimentFolder(experiment), 'logs');
export const logFile = (experiment: string, name: string): string =>
  join(logFolderOf(experiment), `${name}.log`);
/** The token of the API's server at a port; beside the folders of experiments. */
export const tokenFile = (port: number, folder = RUN_FOLDER): string => join(folder, `api-${port}.token`);
export const isTokenFile = (name: string): boolean => /^api-\d{1,5}\.token$/.test(name);
/** When the timeline began, for a later controller. */
export const startFile = (experiment: string): string => join(experimentFolder(experiment), 'started.json');
/** Settings of services, for `netfold exec`. */
export const servicesFile = (experiment: string): string =>
  join(experimentFolder(experiment), 'services.json');
/** An endpoint's own, `$NETFOLD_DATA`. */
export const dataFolder = (experiment: string, endpoint: string): string =>
  join(experimentFolder(experiment), 'data', endpoint);
/** The same for what is kept in the record, `$NETFOLD_OUT`. */
export const outFolder = (experiment: string, endpoint: string): string =>
  join(experimentFolder(experiment), 'data', OUT_FOLDER, endpoint);
export const meshKeyFile = (experiment: string): string => join(experimentFolder(experiment), 'mesh.key');
/** Of the user who started the experiment: it signs commands. */
export const userKeyFile = (experiment: string): string => join(experimentFolder(experiment), 'user.key');
/** Of one host's agent. */
export const identityFolder = (experiment: string, host: string): string =>
  join(experimentFolder(experiment), 'identity', host);
/** One agent's bootstrap, for a later controller. It contains the mesh's key. */
export const bootstrapFile = (experiment: string, host: string): string =>
  join(experimentFolder(experiment), 'bootstrap', `${host}.json`);
