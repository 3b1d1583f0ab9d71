/** Which containers are which endpoints: `--select client=label:app=web`. Pure. */
import { z } from 'zod';
import { count } from '../../../proto/words.ts';
import { serviceOf, suggest } from '../../../topology/model/names.ts';
import { isRunning, type Listed } from './containers.ts';
import { DockerError } from './errors.ts';

export const selectorSchema = z.strictObject({
  /** A service, or one of its replicas. */
  node: z.string(),
  by: z.enum(['label', 'name', 'compose']),
  /** `app=web` or `app`; a name with `*` for any characters; `PROJECT/SERVICE`. */
  what: z.string(),
});

export type Selector = z.infer<typeof selectorSchema>;

/** Endpoint → its container. */
export type Assignment = ReadonlyMap<string, Listed>;

/** Longer ones are no names or labels of an engine's. */
const MOST_CHARACTERS = 400;
const SYNTAX = /^([^=\s]+)=(label|name|compose):(.+)$/s;

/** Labels that Docker Compose gives to its containers. */
const COMPOSE = {
  project: 'com.docker.compose.project',
  service: 'com.docker.compose.service',
  number: 'com.docker.compose.container-number',
} as const;

/** Throws `SELECTOR_INVALID`. */
export function parseSelector(text: string): Selector {
  const [, node, by, what] = (text.length <= MOST_CHARACTERS && SYNTAX.exec(text)) || [];
  const isWhole = by !== 'compose' || /^[^/]+\/[^/]+$/.test(what ?? '');
  if (node !== undefined && what !== undefined && isWhole) return { node, by: by as Selector['by'], what };
  throw new DockerError(
    'SELECTOR_INVALID',
    `--select ${text.slice(0, MOST_CHARACTERS)}: this is not NODE=label:KEY=VALUE, NODE=name:NAME or NODE=compose:PROJECT/SERVICE`,
    'write for instance --select client=label:app=web, --select "server=name:db*", --select server=compose:shop/db',
  );
}

export const formatSelector = ({ node, by, what }: Selector): string => `${node}=${by}:${what}`;

export function isSelected({ by, what }: Selector, { name, labels }: Listed): boolean {
  if (by === 'name') return isLike(name, what);
  if (by === 'compose') {
    const [project, service] = what.split('/');
    return labels[COMPOSE.project] === project && labels[COMPOSE.service] === service;
  }
  const at = what.indexOf('=');
  if (at < 0) return Object.hasOwn(labels, what);
  return labels[what.slice(0, at)] === what.slice(at + 1);
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
      throw new DockerError(
        'SELECTOR_MISSING',
        `no --select says which container ${endpoint} is`,
        `add for instance --select ${serviceOf(endpoint)}=name:${serviceOf(endpoint)}`,
      );
    throw new DockerError(
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
  throw new DockerError(
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
    ? `its container ${container.name} does not run (${container.state})`
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
    throw new DockerError(
      'SELECTOR_COUNT',
      `--select ${what} finds ${count(found.length, 'container')} (${shown(found)}), and ${node} has ${count(endpoints.length, 'endpoint')}`,
      `select fewer or start more, or write replicas: ${found.length} for ${node}`,
    );
  const stopped = listed.filter((container) => selectors.some((selector) => isSelected(selector, container)));
  if (stopped.length > 0)
    throw new DockerError(
      'SELECTOR_EMPTY',
      `--select ${what} finds no container that runs: ${stopped[0]!.name} is ${stopped[0]!.state}`,
      `start it: docker start ${stopped[0]!.name}`,
    );
  const running = listed.filter(isRunning);
  throw new DockerError(
    'SELECTOR_EMPTY',
    `--select ${what} finds no container`,
    running.length > 0 ? `these run: ${shown(running)}` : 'the engine runs none: start them first',
  );
}

const overlap = ({ name }: Listed, first: string, second: string): DockerError =>
  new DockerError(
    'SELECTOR_OVERLAP',
    `the container ${name} is selected as ${first} and as ${second}`,
    'select so that each container is one endpoint',
  );
