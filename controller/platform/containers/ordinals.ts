/**
 * Which containers of this machine are which endpoints of an experiment that has other endpoints on other machines. Those that the
 * orchestrator has numbered are the replica with that number, which no two machines understand differently. The others, as pods of a
 * Deployment, are one that no other machine has. Pure.
 */
import { count } from '../../../proto/words.ts';
import { isRunning, type Listed } from './containers.ts';
import { type Followed, groupsOf, isSelected, type Selector } from './selectors.ts';

/** Of a task of Docker Swarm: SERVICE.SLOT.ID; slots count from 1, and a global service has the node's id in its place. */
const TASK_LABEL = 'com.docker.swarm.task.name';
const TASK = /\.(\d{1,9})\.[^.]+$/;
/** Of a pod of a StatefulSet, from Kubernetes 1.28 on; before, its name ends with it. They count from 0. */
const POD_LABEL = 'apps.kubernetes.io/pod-index';
const POD = /-(\d{1,9})$/;
/** Of pods whose names end with random letters, among which there may be digits alone: of Deployments, DaemonSets and Jobs. */
const RANDOM_NAMES = ['pod-template-hash', 'pod-template-generation', 'controller-uid'] as const;

/** Which replica a container is, from 0; `undefined`: nobody has numbered it. */
export function ordinalOf({ name, labels, isPod }: Listed): number | undefined {
  if (!isPod) return numberIn(TASK, labels[TASK_LABEL], 1);
  const isRandom = RANDOM_NAMES.some((label) => Object.hasOwn(labels, label));
  return numberIn(/^(\d{1,9})$/, labels[POD_LABEL], 0) ?? (isRandom ? undefined : numberIn(POD, name, 0));
}

function numberIn(pattern: RegExp, text: string | undefined, first: number): number | undefined {
  const digits = pattern.exec(text ?? '')?.[1];
  return digits === undefined || Number(digits) < first ? undefined : Number(digits) - first;
}

/** Whether all that are selected have numbers: then it does not matter what other machines have. */
export const areNumbered = (selectors: readonly Selector[], listed: readonly Listed[]): boolean =>
  !listed.some((one) => ordinalOf(one) === undefined && isOneOf(selectors, one));

const isOneOf = (selectors: readonly Selector[], one: Listed): boolean =>
  isRunning(one) && selectors.some((selector) => isSelected(selector, one));

export interface FollowedHere extends Followed {
  /** Ids of the containers without a number of which there are more than endpoints for them. */
  readonly contending: readonly string[];
}

/** What other machines have, and what has ended: nothing, as far as is known. */
const NONE: ReadonlySet<string> = new Set();

/**
 * Endpoints whose container runs here. Of two that run for one, the one that it was before stays: `before`, endpoint → id.
 * `elsewhere`: endpoints that other machines have, which may know it only after both have taken one; then the one that does not
 * have it takes another. `ended`: ids of containers without a number in which nothing runs any more, as in a pod that is about to go:
 * they give way to others that have no endpoint, and to nobody else, since what runs in them may begin again.
 */
export function containersHere(
  selectors: readonly Selector[],
  endpoints: readonly string[],
  listed: readonly Listed[],
  before: ReadonlyMap<string, string>,
  elsewhere = NONE,
  ended = NONE,
): FollowedHere {
  const assignment = new Map<string, Listed>();
  const problems: string[] = [];
  const contending: string[] = [];
  for (const { node, endpoints: replicas, selectors: its } of groupsOf(selectors, endpoints)) {
    const loose: Listed[] = [];
    for (const container of listed.filter((one) => isOneOf(its, one))) {
      const ordinal = ordinalOf(container);
      const endpoint = ordinal === undefined ? undefined : replicas[ordinal];
      if (ordinal === undefined) loose.push(container);
      else if (endpoint === undefined)
        problems.push(
          `${surplus(node, container)}: it is replica ${ordinal}, and the topology has ${replicas.length}`,
        );
      else if (!assignment.has(endpoint) || before.get(endpoint) === container.id)
        assignment.set(endpoint, container);
    }
    const free = replicas.filter((endpoint) => !assignment.has(endpoint) && !elsewhere.has(endpoint));
    const left = takeFree(free, loose, assignment, formerly(listed, before));
    if (left.length > 0) contending.push(...loose.map(({ id }) => id));
    for (const container of left.filter(({ id }) => !ended.has(id))) {
      const endpoint = replicas.find((one) => ended.has(assignment.get(one)?.id ?? ''));
      if (endpoint !== undefined) assignment.set(endpoint, container);
      else problems.push(`${surplus(node, container)}: it has ${count(replicas.length, 'endpoint')}`);
    }
  }
  return { assignment, problems, contending };
}

const surplus = (node: string, { name }: Listed): string => `${node} selects ${name}, which is not shaped`;

/** Endpoint → ids and names of the container that it was: a pod that gets another sandbox keeps its name. */
function formerly(
  listed: readonly Listed[],
  before: ReadonlyMap<string, string>,
): (endpoint: string, container: Listed) => boolean {
  const names = new Map(listed.map(({ id, name }) => [id, name]));
  return (endpoint, { id, name }) => {
    const last = before.get(endpoint);
    return last !== undefined && (last === id || names.get(last) === name);
  };
}

/** Each takes the endpoint that it was if that is free, else another. Returns those for which there is none. */
function takeFree(
  free: readonly string[],
  containers: readonly Listed[],
  assignment: Map<string, Listed>,
  wasBefore: (endpoint: string, container: Listed) => boolean,
): Listed[] {
  const fresh: Listed[] = [];
  for (const container of containers) {
    const own = free.find((endpoint) => !assignment.has(endpoint) && wasBefore(endpoint, container));
    if (own === undefined) fresh.push(container);
    else assignment.set(own, container);
  }
  const left: Listed[] = [];
  for (const container of fresh.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const open = free.filter((endpoint) => !assignment.has(endpoint));
    // Not the first on each machine.
    const endpoint = open[sumOf(container.name) % Math.max(1, open.length)];
    if (endpoint === undefined) left.push(container);
    else assignment.set(endpoint, container);
  }
  return left;
}

const sumOf = (name: string): number => [...name].reduce((sum, one) => sum + one.codePointAt(0)!, 0);
