/** The environment of what netfold starts inside of an endpoint. No system calls, so `netfold exec` starts at once. */
import { isIPv4, isIPv6 } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { type LocalEndpoint, OUT_FOLDER } from '../../proto/bootstrap.ts';
import type { Program } from '../../topology/model/events.ts';
import { replicaOf, serviceOf } from '../../topology/model/names.ts';

/**
 * The variable that tells whose life a process is part of: experiment and endpoint. Children inherit it, and a lab
 * inside of an endpoint overwrites it.
 */
export const LIFE = 'NETFOLD_LIFE';

export const lifeOf = (experiment: string, name: string): string => `${experiment}/${name}`;

/** What marks a process as an endpoint's. */
export const lifeMark = (experiment: string, name: string): Record<string, string> => ({
  [LIFE]: lifeOf(experiment, name),
});

/**
 * What a command can read about its endpoint; an address that the endpoint doesn't have is empty. `data`: its folder, if it
 * has one.
 */
export function endpointEnvironment(
  { name, addresses }: Pick<LocalEndpoint, 'name' | 'addresses'>,
  data?: string,
): Record<string, string> {
  return {
    NETFOLD_NODE: name,
    NETFOLD_SERVICE: serviceOf(name),
    NETFOLD_REPLICA: String(replicaOf(name)),
    NETFOLD_ADDRESS: addresses.find(isIPv4) ?? '',
    NETFOLD_ADDRESS6: addresses.find(isIPv6) ?? '',
    ...(data !== undefined && {
      NETFOLD_DATA: data,
      NETFOLD_OUT: join(dirname(data), OUT_FOLDER, basename(data)),
    }),
  };
}

/** The folder to which bin/netfold sets NODE_COMPILE_CACHE, unless the user has; where it is depends on the installation. */
const OWN_COMPILE_CACHE = 'netfold-compiled';

/** The variables of this process that an application gets: all but those that bin/netfold sets for itself. */
export function inheritedEnvironment(own: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const { NODE_COMPILE_CACHE, NODE_COMPILE_CACHE_PORTABLE: _, ...others } = own;
  const isOwn = NODE_COMPILE_CACHE === undefined || basename(NODE_COMPILE_CACHE) === OWN_COMPILE_CACHE;
  return isOwn ? others : { ...own };
}

/** Of a program of a sequence: the name of the folder in `$NETFOLD_OUT` that it has for itself, and of what it has done. */
export const activityOf = ({ sequence, step }: Pick<Program, 'sequence' | 'step'>): string =>
  `${sequence}.${step}`;

/**
 * The command of a program of a sequence. What it writes to its own `$NETFOLD_OUT` is known to be its, whoever else runs there
 * meanwhile. Names of sequences have no characters that a shell reads.
 */
export function commandOfActivity(program: Pick<Program, 'sequence' | 'step'>, command: string): string {
  const name = activityOf(program);
  return `export NETFOLD_ACTIVITY=${name}
if [ -n "$NETFOLD_OUT" ]; then export NETFOLD_OUT="$NETFOLD_OUT/${name}"; mkdir -p "$NETFOLD_OUT" || exit 126; fi
${command}`;
}
