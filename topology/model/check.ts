/** Checks of a topology in any format: names, links, limits; and warnings. */
import { count } from '../../proto/words.ts';
import { type DiagnosticCode, type Findings, quote } from './diagnostics.ts';
import { MAX_BRIDGES, MAX_EDGES, MAX_ENDPOINTS } from './limits.ts';
import type { Bridge, LinkPair, Service, Topology } from './model.ts';
import { parseReference, replicaRange, Suggestions } from './names.ts';

interface Place {
  readonly line: number;
  readonly column: number;
}

/** The format's names for the parts of a link, and their positions. */
export interface LinkLabels {
  field(index: number, end: 'from' | 'to' | 'link'): string;
  place(index: number, end: 'from' | 'to' | 'link'): Place;
}

/** Replicas and sharing by service; resolves names. */
export class Names {
  readonly services: ReadonlyMap<string, Service>;
  readonly bridges: ReadonlyMap<string, Bridge>;
  readonly #suggestions = new Suggestions();

  constructor(topology: Pick<Topology, 'services' | 'bridges'>) {
    this.services = new Map(topology.services.map((service) => [service.name, service]));
    this.bridges = new Map(topology.bridges.map((bridge) => [bridge.name, bridge]));
  }

  /** The name that an unknown one is perhaps meant to be, or `otherwise`. */
  suggest(text: string, otherwise: string): string {
    const all = (): string[] => [...this.services.keys(), ...this.bridges.keys()];
    return this.#suggestions.of(text, all, otherwise);
  }

  /** Why `text` names no node, with the remedy; `undefined` if it does. */
  problem(text: string): { code: DiagnosticCode; message: string; remedy: string } | undefined {
    const reference = parseReference(text);
    const service = reference && this.services.get(reference.name);
    const bridge = reference && this.bridges.get(reference.name);
    if (!reference || (!service && !bridge)) {
      const remedy = this.suggest(
        reference?.name ?? text,
        'name a service, a replica or a bridge of this file',
      );
      return { code: 'NAME_UNKNOWN', message: `there is no service or bridge ${quote(text)}`, remedy };
    }
    if (reference.replica === undefined) return undefined;
    if (!service) {
      const message = `${quote(reference.name)} is a bridge and has no replicas`;
      return { code: 'NAME_UNKNOWN', message, remedy: `write ${reference.name}` };
    }
    if (reference.replica < service.replicas) return undefined;
    const message = `${quote(text)} does not exist: ${service.name} has ${count(service.replicas, 'replica')}`;
    return {
      code: 'NAME_UNKNOWN',
      message,
      remedy: `replicas are ${replicaRange(service)}`,
    };
  }
}

/** Refuses duplicate names, and more endpoints or bridges than netfold accepts. */
export function checkNodes(topology: Pick<Topology, 'services' | 'bridges'>, findings: Findings): void {
  const seen = new Map<string, Service | Bridge>();
  for (const node of [...topology.services, ...topology.bridges]) {
    const first = seen.get(node.name);
    if (first) {
      const message = `the name ${quote(node.name)} is already used in ${lineOf(first, node)}`;
      findings.error(
        'NAME_DUPLICATE',
        node.position,
        node.name,
        message,
        'services and bridges need different names',
      );
    } else {
      seen.set(node.name, node);
    }
  }
  refuseSimilarNames(topology.services, findings);
  for (const { name, position } of topology.services) {
    // Every endpoint has this name for itself, whatever the topology says.
    if (name.toLowerCase() !== 'localhost') continue;
    const message = `every endpoint calls itself ${quote(name)}`;
    findings.error('NAME_INVALID', position, `services.${name}`, message, 'give the service another name');
  }
  const endpoints = topology.services.reduce((sum, service) => sum + service.replicas, 0);
  if (endpoints > MAX_ENDPOINTS) {
    const message = `the services have ${endpoints} replicas in all, more than ${MAX_ENDPOINTS}`;
    findings.error('LIMIT', topology.services[0]!.position, 'services', message, 'use fewer replicas');
  }
  if (topology.bridges.length > MAX_BRIDGES) {
    const message = `there are ${topology.bridges.length} bridges, more than ${MAX_BRIDGES}`;
    findings.error('LIMIT', topology.bridges[0]!.position, 'bridges', message, 'use fewer bridges');
  }
}

/** Names are looked up without regard to case (RFC 4343): one of two such services would be reached by both names. */
function refuseSimilarNames(services: readonly Service[], findings: Findings): void {
  const seen = new Map<string, Service>();
  for (const service of services) {
    const { name, position } = service;
    const first = seen.get(name.toLowerCase());
    if (first === undefined) seen.set(name.toLowerCase(), service);
    else if (first.name !== name) {
      const message = `${quote(name)} and ${quote(first.name)} in ${lineOf(first, service)} differ in case only, and names are looked up without it`;
      findings.error('NAME_DUPLICATE', position, name, message, 'give one of the services another name');
    }
  }
}

type Placed = Pick<Service | Bridge | LinkPair, 'position'>;

/** The line of `first`, for a message about `second`. */
function lineOf({ position: first }: Placed, { position: second }: Placed): string {
  return first.file === second.file ? `line ${first.line}` : `line ${first.line} of ${first.file}`;
}

/** Refuses links to unknown nodes and to themselves, duplicate links, and more edges than netfold accepts. */
export function checkLinks(
  links: readonly LinkPair[],
  names: Names,
  labels: LinkLabels,
  findings: Findings,
): void {
  let edges = 0;
  links.forEach((link, index) => {
    let known = true;
    for (const end of ['from', 'to'] as const) {
      const problem = names.problem(link[end]);
      if (!problem) continue;
      known = false;
      findings.error(
        problem.code,
        labels.place(index, end),
        labels.field(index, end),
        problem.message,
        problem.remedy,
      );
    }
    if (!known) return;
    if (overlaps(link.from, link.to)) {
      const message = `the link goes from ${quote(link.from)} to ${quote(link.to)}, which is itself`;
      const place = labels.place(index, 'to');
      findings.error(
        'LINK_TO_ITSELF',
        place,
        labels.field(index, 'to'),
        message,
        'connect replicas of a service through a bridge',
      );
    }
    edges += countEnds(link.from, names) * countEnds(link.to, names) * (link.down ? 2 : 1);
  });
  if (edges > MAX_EDGES) {
    const message = `the links of all replicas together are ${edges}, more than ${MAX_EDGES}`;
    findings.error(
      'LIMIT',
      labels.place(0, 'link'),
      'links',
      message,
      'connect services with many replicas through a bridge',
    );
  }
  reportDuplicates(links, labels, findings);
}

function countEnds(end: string, names: Names): number {
  const reference = parseReference(end)!;
  return reference.replica === undefined ? (names.services.get(reference.name)?.replicas ?? 1) : 1;
}

/** Whether two ends can be the same node: `client` and `client.1` can, `client.0` and `client.1` can't. */
function overlaps(a: string, b: string): boolean {
  const [one, other] = [parseReference(a)!, parseReference(b)!];
  if (one.name !== other.name) return false;
  return one.replica === undefined || other.replica === undefined || one.replica === other.replica;
}

function reportDuplicates(links: readonly LinkPair[], labels: LinkLabels, findings: Findings): void {
  for (const { index, first } of duplicateLinks(links)) {
    const link = links[index]!;
    const message = `${link.from} and ${link.to} are already linked in ${lineOf(links[first]!, link)}`;
    const remedy =
      'remove one of the links, or give it a name; for different properties each way write up and down, or two oneway links';
    findings.error(
      'LINK_DUPLICATE',
      labels.place(index, 'link'),
      labels.field(index, 'link'),
      message,
      remedy,
    );
  }
}

/** The links that duplicate a link of some pair of nodes in the same direction, with the first link of that pair. */
export function duplicateLinks(links: readonly LinkPair[]): { index: number; first: number }[] {
  const found: { index: number; first: number }[] = [];
  const byDirection = new Map<string, First | Directions>();
  links.forEach((link, index) => {
    const [from, to] = [parseReference(link.from), parseReference(link.to)];
    if (!from || !to || overlaps(link.from, link.to)) return;
    const directions = link.down ? [[from, to] as const, [to, from] as const] : [[from, to] as const];
    let first: number | undefined;
    for (const [a, b] of directions) {
      if (first !== undefined) break;
      const key = `${a.name}>${b.name}:${link.name ?? ''}`;
      const one = { from: a.replica, to: b.replica, index };
      const known = byDirection.get(key);
      // Most have no second one, and would pay for three tables.
      if (!known) byDirection.set(key, one);
      else {
        const all = known instanceof Directions ? known : new Directions(known);
        byDirection.set(key, all);
        first = all.add(one);
      }
    }
    if (first !== undefined) found.push({ index, first });
  });
  return found;
}

interface First {
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly index: number;
}

/** The links from one name to another, by replica; constant time for each, so that a full mesh stays linear. */
class Directions {
  readonly #exact = new Map<string, number>();
  readonly #byFrom = new Map<number | undefined, number>();
  readonly #byTo = new Map<number | undefined, number>();
  #any: number | undefined;
  #whole: number | undefined;

  constructor(first: First) {
    this.add(first);
  }

  /** Adds the link. Returns one that already covers some of the same pairs. */
  add({ from, to, index }: First): number | undefined {
    const exact = this.#exact.get(`${from}>${to}`);
    let first = exact ?? this.#whole;
    if (from === undefined && to === undefined) first ??= this.#any;
    else if (from === undefined) first ??= this.#byTo.get(to) ?? this.#halfFrom();
    else if (to === undefined) first ??= this.#byFrom.get(from) ?? this.#halfTo();
    else first ??= this.#exact.get(`${from}>undefined`) ?? this.#exact.get(`undefined>${to}`);
    if (exact === undefined) this.#exact.set(`${from}>${to}`, index);
    if (!this.#byFrom.has(from)) this.#byFrom.set(from, index);
    if (!this.#byTo.has(to)) this.#byTo.set(to, index);
    this.#any ??= index;
    if (from === undefined && to === undefined) this.#whole ??= index;
    return first;
  }

  /** A link from one replica to all of the other service crosses any link to one replica of it. */
  #halfFrom(): number | undefined {
    return this.#byTo.get(undefined);
  }

  #halfTo(): number | undefined {
    return this.#byFrom.get(undefined);
  }
}
