/**
 * Which containers of this machine are which endpoints of an experiment that has other endpoints on other machines: by the number
 * that the orchestrator gives, which no two machines understand differently. Pure.
 */
import { isRunning, type Listed } from './containers.ts';
import { type Followed, groupsOf, isSelected, type Selector } from './selectors.ts';

/** Of a task of Docker Swarm: SERVICE.SLOT.ID; slots count from 1, and a global service has the node's id in its place. */
const TASK_LABEL = 'com.docker.swarm.task.name';
const TASK = /\.(\d{1,9})\.[^.]+$/;
/** Of a pod of a StatefulSet, from Kubernetes 1.28 on; before, its name ends with it. They count from 0. */
const POD_LABEL = 'apps.kubernetes.io/pod-index';
const POD = /-(\d{1,9})$/;

/** Which replica a container is, from 0; `undefined`: nobody has numbered it. */
export function ordinalOf({ name, labels, isPod }: Listed): number | undefined {
  if (!isPod) return numberIn(TASK, labels[TASK_LABEL], 1);
  return numberIn(/^(\d{1,9})$/, labels[POD_LABEL], 0) ?? numberIn(POD, name, 0);
}

function numberIn(pattern: RegExp, text: string | undefined, first: number): number | undefined {
  const digits = pattern.exec(text ?? '')?.[1];
  return digits === undefined || Number(digits) < first ? undefined : Number(digits) - first;
}

/** Endpoints whose container runs here. Of two that run for one, the one that it was before stays: `before`, endpoint → id. */
export function containersHere(
  selectors: readonly Selector[],
  endpoints: readonly string[],
  listed: readonly Listed[],
  before: ReadonlyMap<string, string>,
): Followed {
  const assignment = new Map<string, Listed>();
  const problems: string[] = [];
  for (const { node, endpoints: replicas, selectors: its } of groupsOf(selectors, endpoints)) {
    const found = listed.filter((one) => isRunning(one) && its.some((selector) => isSelected(selector, one)));
    for (const container of found) {
      const ordinal = ordinalOf(container);
      const endpoint = ordinal === undefined ? undefined : replicas[ordinal];
      if (endpoint === undefined) problems.push(surplus(container, node, replicas.length, ordinal));
      else if (!assignment.has(endpoint) || before.get(endpoint) === container.id)
        assignment.set(endpoint, container);
    }
  }
  return { assignment, problems };
}

function surplus({ name }: Listed, node: string, replicas: number, ordinal: number | undefined): string {
  return ordinal === undefined
    ? `${node} selects ${name}, which is not shaped: nobody has numbered it (it has to be a task of a replicated service, or a pod of a StatefulSet)`
    : `${node} selects ${name}, which is not shaped: it is replica ${ordinal}, and the topology has ${replicas}`;
}
