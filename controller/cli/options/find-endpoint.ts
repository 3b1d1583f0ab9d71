/** Endpoints of an experiment on this machine, as users name them. */
import { suggest } from '../../../topology/model/names.ts';
import { ControllerError } from '../../errors.ts';
import { type ExperimentState, findExperiment, readState } from '../../experiment/state.ts';

export type FoundEndpoint = ExperimentState['endpoints'][number];

export interface Found {
  readonly experiment: string;
  readonly state: ExperimentState;
  readonly endpoint: FoundEndpoint;
}

/** `experiment`: absent: the only one. Throws `ControllerError` (`NODE_UNKNOWN` and those of `findExperiment`). */
export async function findEndpoint(node: string, name: string | undefined): Promise<Found> {
  const experiment = await findExperiment(name);
  const state = readState(experiment);
  const endpoint = endpointOf(experiment, state, node);
  return { experiment, state: state!, endpoint };
}

/** A service with one replica names it, too. Throws `ControllerError` (`NODE_UNKNOWN`). */
export function endpointOf(
  experiment: string,
  state: ExperimentState | undefined,
  node: string,
): FoundEndpoint {
  const endpoints = state?.endpoints ?? [];
  const replicas = endpoints.filter(
    (endpoint) => endpoint.name === node || endpoint.name.startsWith(`${node}.`),
  );
  if (replicas.length === 1) return replicas[0]!;
  if (replicas.length > 1) {
    const remedy = `name one of ${replicas[0]!.name} to ${replicas.at(-1)!.name}`;
    throw new ControllerError('NODE_UNKNOWN', `"${node}" has ${replicas.length} replicas`, remedy);
  }
  const names = endpoints.map((endpoint) => endpoint.name);
  const remedy = suggest(node, names, `there are: ${names.slice(0, 10).join(' ')}`);
  throw new ControllerError('NODE_UNKNOWN', `there is no endpoint "${node}" in ${experiment}`, remedy);
}
