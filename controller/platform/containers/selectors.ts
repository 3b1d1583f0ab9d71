/** Which containers are which endpoints: `--select client=label:app=web`. Pure. */
import { z } from 'zod';
import { count } from '../../../proto/words.ts';
import { serviceOf, suggest } from '../../../topology/model/names.ts';
import { called, isRunning, type Listed } from './containers.ts';
import { ContainerError } from './errors.ts';

const KINDS = ['label', 'name', 'compose', 'namespace'] as const;

const conditionSchema = z.strictObject({
  by: z.enum(KINDS),
  /** `app=web` or `app`; a name with `*` for any characters; `PROJECT/SERVICE`; a namespace of Kubernetes. */
  what: z.string(),
});

export const selectorSchema = z.strictObject({
  /** A service, or one of its replicas. */
  node: z.string(),
  /** What a container must be, all of it. */
  all: z.array(conditionSchema).min(1),
});

type Condition = Readonly<z.infer<typeof conditionSchema>>;
export type Selector = z.infer<typeof selectorSchema>;

/** Endpoint → its container. */
export type Assignment = ReadonlyMap<string, Listed>;

/** Longer ones are no names or labels of an engine's. */
const MOST_CHARACTERS = 400;
const SYNTAX = /^([^=\s]+)=(.+)$/s;
const CONDITION = new RegExp(`^(${KINDS.join('|')}):(.+)$`, 's');
/** A label's value may have commas. */
const BETWEEN = new RegExp(`,(?=(?:${KINDS.join('|')}):)`);

/** Labels that Docker Compose gives to its containers. */
const COMPOSE = {
  project: 'com.docker.compose.project',
  service: 'com.docker.compose.service',
  number: 'com.docker.compose.container-number',
} as const;

/** Throws `SELECTOR_INVALID`. */
export function parseSelector(text: string): Selector {
  const [, node, conditions = ''] = (text.length <= MOST_CHARACTERS && SYNTAX.exec(text)) || [];
  const all = conditions.split(BETWEEN).flatMap((condition) => parseCondition(condition) ?? []);
  const isWhole = all.length > 0 && all.length === conditions.split(BETWEEN).length;
  if (node !== undefined && isWhole) return { node, all };
  throw new ContainerError(
    'SELECTOR_INVALID',
    `--select ${text.slice(0, MOST_CHARACTERS)}: this is not NODE=label:KEY=VALUE, NODE=name:NAME, NODE=compose:PROJECT/SERVICE or NODE=namespace:NAME, or several of them with commas`,
    'write for instance --select client=label:app=web, --select "server=name:db*", --select server=compose:shop/db, --select web=label:app=web,namespace:shop',
  );
}

function parseCondition(text: string): Condition | undefined {
  const [, by, what] = CONDITION.exec(text) ?? [];
  if (by === undefined || what === undefined) return undefined;
  if (by === 'compose' && !/^[^/]+\/[^/]+$/.test(what)) return undefined;
  return { by: by as Condition['by'], what };
}

export const formatSelector = ({ node, all }: Selector): string =>
  `${node}=${all.map(({ by, what }) => `${by}:${what}`).join(',')}`;

/** Throws `SELECTOR_INVALID` where a selector asks for what containers, or pods, don't have. */
export function requireFor(platform: 'docker' | 'cri', selectors: readonly Selector[]): void {
  const foreign = platform === 'docker' ? 'namespace' : 'compose';
  const wrong = selectors.find(({ all }) => all.some(({ by }) => by === foreign));
  if (!wrong) return;
  throw new ContainerError(
    'SELECTOR_INVALID',
    `--select ${formatSelector(wrong)}: ${foreign === 'compose' ? 'pods are of no project of Compose' : 'containers of Docker have no namespace of Kubernetes'}`,
    foreign === 'compose'
      ? 'select by label, name or namespace'
      : 'select by label, name or project of Compose; for pods: --engine cri',
  );
}

export const isSelected = ({ all }: Selector, container: Listed): boolean =>
  all.every((condition) => holds(condition, container));

function holds({ by, what }: Condition, { name, labels }: Listed): boolean {
  const [namespace, inside = ''] = divided(name);
  if (by === 'name') return isLike(name, what) || (namespace !== undefined && isLike(inside, what));
  if (by === 'namespace') return namespace === what;
  if (by === 'compose') {
    const [project, service] = what.split('/');
    return labels[COMPOSE.project] === project && labels[COMPOSE.service] === service;
  }
  const at = what.indexOf('=');
  if (at < 0) return Object.hasOwn(labels, what);
  return Object.hasOwn(labels, what.slice(0, at)) && labels[what.slice(0, at)] === what.slice(at + 1);
}

/** The namespace of a pod, and its name there; containers have none. */
function divided(name: string): [string | undefined, string] {
  const at = name.indexOf('/');
  return at < 0 ? [undefined, name] : [name.slice(0, at), name.slice(at + 1)];
}

/** Whether a name is like a pattern in which `*` stands for any characters. The first place that fits is as good as any later one. */
function isLike(name: string, pattern: string): boolean {
  const [first = '', ...parts] = pattern.split('*');
  const last = parts.pop();
  if (last === undefined) return name === first;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of parts) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}

/** The endpoints that the same selectors are for. */
interface Group {
  readonly node: string;
  readonly endpoints: readonly string[];
  readonly selectors: readonly Selector[];
}

/** Throws `SELECTOR_UNKNOWN`, `SELECTOR_MISSING`, `SELECTOR_INVALID`: each endpoint must be selected, and once. */
export function groupsOf(selectors: readonly Selector[], endpoints: readonly string[]): Group[] {
  const groups = new Map<string, Group>();
  for (const selector of selectors) {
    const { node } = selector;
    const before = groups.get(node)?.selectors ?? [];
    groups.set(node, { node, endpoints: endpointsNamed(node, endpoints), selectors: [...before, selector] });
  }
  const all = [...groups.values()];
  for (const endpoint of endpoints) {
    const nodes = all.filter((group) => group.endpoints.includes(endpoint)).map(({ node }) => node);
    if (nodes.length === 1) continue;
    if (nodes.length === 0)
      throw new ContainerError(
        'SELECTOR_MISSING',
        `no --select says which container ${endpoint} is`,
        `add for instance --select ${serviceOf(endpoint)}=name:${serviceOf(endpoint)}`,
      );
    throw new ContainerError(
      'SELECTOR_INVALID',
      `${endpoint} is selected as ${nodes.join(' and as ')}`,
      'select a service, or each of its replicas',
    );
  }
  return all;
}

function endpointsNamed(node: string, endpoints: readonly string[]): string[] {
  const named = endpoints.filter((endpoint) => endpoint === node || serviceOf(endpoint) === node);
  if (named.length > 0) return named;
  const names = [...new Set(endpoints.flatMap((endpoint) => [serviceOf(endpoint), endpoint]))];
  throw new ContainerError(
    'SELECTOR_UNKNOWN',
    `the topology has no "${node}"`,
    suggest(node, names, `it has: ${endpoints.slice(0, 10).join(' ')}`),
  );
}

/**
 * The containers of all endpoints. Throws what `groupsOf` throws, `SELECTOR_EMPTY`, `SELECTOR_COUNT`, and `SELECTOR_OVERLAP` for a
 * container that would be two endpoints.
 */
export function assignContainers(
  selectors: readonly Selector[],
  endpoints: readonly string[],
  listed: readonly Listed[],
): Assignment {
  const assignment = new Map<string, Listed>();
  const takenBy = new Map<string, string>();
  for (const group of groupsOf(selectors, endpoints)) {
    const found = candidates(group, listed);
    refuseCount(group, found, listed);
    for (const container of found) {
      const other = takenBy.get(container.id);
      if (other !== undefined) throw overlap(container, other, group.node);
      takenBy.set(container.id, group.node);
    }
    for (const [index, endpoint] of group.endpoints.entries()) assignment.set(endpoint, found[index]!);
  }
  return assignment;
}

export interface Followed {
  /** Endpoints whose container runs. */
  readonly assignment: Assignment;
  /** What is not as the topology has it, one sentence each. */
  readonly problems: readonly string[];
}

/**
 * The containers of all endpoints later on. An endpoint keeps its container while that runs; one whose container does not run gets
 * another that is selected, runs, and is no endpoint. `before`: endpoint → id of the container that it was last.
 */
export function followContainers(
  selectors: readonly Selector[],
  endpoints: readonly string[],
  listed: readonly Listed[],
  before: ReadonlyMap<string, string>,
): Followed {
  const byId = new Map(listed.map((container) => [container.id, container]));
  const assignment = new Map<string, Listed>();
  const taken = new Set<string>();
  for (const endpoint of endpoints) {
    const container = byId.get(before.get(endpoint) ?? '');
    if (!container || !isRunning(container) || taken.has(container.id)) continue;
    assignment.set(endpoint, container);
    taken.add(container.id);
  }
  const problems: string[] = [];
  for (const group of groupsOf(selectors, endpoints)) {
    const free = candidates(group, listed).filter(({ id }) => !taken.has(id));
    for (const endpoint of group.endpoints) {
      if (assignment.has(endpoint)) continue;
      const next = free.shift();
      if (next) {
        assignment.set(endpoint, next);
        taken.add(next.id);
      } else problems.push(absence(endpoint, byId.get(before.get(endpoint) ?? ''), group));
    }
    if (free.length > 0) problems.push(surplus(group, free));
  }
  return { assignment, problems };
}

function absence(endpoint: string, container: Listed | undefined, { selectors }: Group): string {
  const how = container
    ? `its ${container.isPod ? 'pod' : 'container'} ${container.name} does not run (${container.state})`
    : 'its container is gone';
  const awaited = selectors.map(formatSelector).join(' or ');
  return `${endpoint} is not there: ${how}; one that ${awaited} selects is waited for`;
}

function surplus({ node, endpoints }: Group, free: readonly Listed[]): string {
  const names = free.slice(0, 3).map(({ name }) => name);
  return `${node} selects ${names.join(', ')}${free.length > 3 ? ' …' : ''}, too, which is not shaped: it has ${count(endpoints.length, 'endpoint')}`;
}

/** In the order of their numbers in a Compose project, then of their names: web-2 before web-10. */
function candidates({ selectors }: Group, listed: readonly Listed[]): Listed[] {
  const found = listed.filter(
    (container) => isRunning(container) && selectors.some((selector) => isSelected(selector, container)),
  );
  const numberOf = ({ labels }: Listed): number => Number(labels[COMPOSE.number] ?? 0) || 0;
  return found.sort(
    (a, b) => numberOf(a) - numberOf(b) || a.name.localeCompare(b.name, 'en', { numeric: true }),
  );
}

function refuseCount(
  { node, endpoints, selectors }: Group,
  found: readonly Listed[],
  listed: readonly Listed[],
): void {
  if (found.length === endpoints.length) return;
  const what = selectors.map(formatSelector).join(' or ');
  const shown = (some: readonly Listed[]): string => {
    const names = some.slice(0, 10).map(({ name }) => name);
    return names.join(' ') + (some.length > 10 ? ' …' : '');
  };
  if (found.length > 0)
    throw new ContainerError(
      'SELECTOR_COUNT',
      `--select ${what} finds ${count(found.length, found[0]!.isPod ? 'pod' : 'container')} (${shown(found)}), and ${node} has ${count(endpoints.length, 'endpoint')}`,
      `select fewer or start more, or write replicas: ${found.length} for ${node}`,
    );
  const stopped = listed.filter((container) => selectors.some((selector) => isSelected(selector, container)));
  if (stopped.length > 0)
    throw new ContainerError(
      'SELECTOR_EMPTY',
      `--select ${what} finds no ${stopped[0]!.isPod ? 'pod' : 'container'} that runs: ${stopped[0]!.name} is ${stopped[0]!.state}`,
      stopped[0]!.isPod ? 'see why: kubectl describe pod' : `start it: docker start ${stopped[0]!.name}`,
    );
  const running = listed.filter(isRunning);
  throw new ContainerError(
    'SELECTOR_EMPTY',
    `--select ${what} finds no ${running[0]?.isPod ? 'pod' : 'container'}`,
    running.length > 0 ? `these run: ${shown(running)}` : 'the engine runs none: start them first',
  );
}

const overlap = (container: Listed, first: string, second: string): ContainerError =>
  new ContainerError(
    'SELECTOR_OVERLAP',
    `${called(container)} is selected as ${first} and as ${second}`,
    'select so that each container is one endpoint',
  );
