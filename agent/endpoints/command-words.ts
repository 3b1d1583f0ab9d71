/** The words and the environment with which a command is started inside of an endpoint. */
import { basename, dirname, join } from 'node:path';
import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import { underHostName } from '../kernel/netns/host-name.ts';
import { NETNS_FOLDER } from '../kernel/netns/namespace-files.ts';
import { endpointEnvironment, inheritedEnvironment, lifeMark } from './environment.ts';
import { inView, privilegesOf } from './least-power.ts';
import { atOrdinaryPriority } from './priority.ts';
import { type CommandSettings, withinBounds, withSettings } from './service-settings.ts';

export interface RunCommand {
  readonly endpoint: LocalEndpoint;
  /** For `sh -c`. */
  readonly command: string;
  /** Of the endpoint's service. */
  readonly settings: CommandSettings;
}

/** `dataFolder`: as in the bootstrap. `group`: the folder of the endpoint's control group, if it has one. */
export function wordsFor(
  { endpoint, command, settings }: RunCommand,
  dataFolder: string | undefined,
  group: string | undefined,
): string[] {
  const data = dataOf(endpoint, dataFolder);
  const words = withSettings(settings, data, ['/bin/sh', '-c', command], privilegesOf(settings));
  const inside = insideOf(endpoint, inView(dataFolder, hasName(endpoint), words));
  // In another mount namespace the control groups may not be seen.
  return withinBounds(settings, group, atOrdinaryPriority(inside));
}

export function environmentFor(
  endpoint: LocalEndpoint,
  experiment: string,
  dataFolder: string | undefined,
): NodeJS.ProcessEnv {
  return {
    ...inheritedEnvironment(),
    ...endpointEnvironment(endpoint, dataOf(endpoint, dataFolder)),
    ...lifeMark(experiment, endpoint.name),
  };
}

const dataOf = ({ name }: LocalEndpoint, dataFolder: string | undefined): string | undefined =>
  dataFolder && join(dataFolder, name);

/**
 * The words that run a command in an endpoint. `ip netns exec` makes the topology's names resolve. A namespace that was
 * there before belongs to a machine or a container, which has a hostname already.
 */
function insideOf(endpoint: LocalEndpoint, command: readonly string[]): string[] {
  const { name, namespace, outlivesAgent } = endpoint;
  const words = outlivesAgent ? [...command] : underHostName(name, command);
  return hasName(endpoint) ? ['ip', 'netns', 'exec', basename(namespace), ...words] : words;
}

const hasName = ({ namespace }: LocalEndpoint): boolean => dirname(namespace) === NETNS_FOLDER;
