/** The endpoints, bridges and directed links that the targets of an event name in one topology. */

import type { Expansion, LinkOrigin } from '../fold/graph.ts';
import { Names } from '../model/check.ts';
import { type DiagnosticCode, quote } from '../model/diagnostics.ts';
import type { FlowAction, LinkTarget, Target } from '../model/events.ts';
import type { Topology } from '../model/model.ts';
import { formatReference, type NodeReference, Suggestions } from '../model/names.ts';
import type { Position } from '../model/position.ts';
import type { Scope } from './scopes.ts';

/** A directed link of the graph, and which of `up` and `down` means it in this event. */
export interface SelectedLink {
  readonly link: number;
  readonly side: 'up' | 'down';
}

/** Thrown if events name more targets, or happen more often, than a timeline may: such a file is malicious. */
export class TooMuchWork extends Error {}

/** Endpoints, bridges and links that all events may name together, at all their instants. */
const MAX_WORK = 100_000_000;
/**
 * The same for commands while an experiment runs. Checks and corrections replay them between two ticks: this much
 * takes about half a second.
 */
export const MAX_COMMAND_WORK = 20_000_000;

/** Counts what events name. `charge` throws `TooMuchWork` before anything is changed. */
export class WorkAccount {
  readonly #most: number;
  #work = 0;

  constructor(most = MAX_WORK) {
    this.#most = most;
  }

  charge(work: number): void {
    this.#work += work;
    if (this.#work > this.#most) throw new TooMuchWork();
  }
}

/** Numbers of nodes and links. */
export interface Selection {
  readonly endpoints: readonly number[];
  readonly bridges: readonly number[];
  readonly links: readonly SelectedLink[];
}

export class TargetError extends Error {
  readonly code: DiagnosticCode;
  readonly position: Position;
  readonly remedy: string;

  constructor(position: Position, message: string, remedy: string, code: DiagnosticCode = 'EVENT_TARGET') {
    super(message);
    this.code = code;
    this.position = position;
    this.remedy = remedy;
  }
}

const EMPTY: Selection = { endpoints: [], bridges: [], links: [] };
const KINDS = { endpoint: 'endpoints', bridge: 'bridges', link: 'links' } as const;

export class Targets {
  readonly #topology: Topology;
  readonly #expansion: Expansion;
  readonly #names: Names;
  /** Directed links by `from>to`, each end with and without its replica. */
  #linksBetween: ReadonlyMap<string, readonly number[]> | undefined;
  #byTag: ReadonlyMap<string, Selection> | undefined;
  readonly #suggestions = new Suggestions();
  readonly #known = new Map<string, Selection>();
  /** The account that is charged for the present selection. */
  account = new WorkAccount();
  #neighbours: ReadonlyMap<number, ReadonlySet<number>> | undefined;
  /** Of `traffic:`, by name; `*`: all. */
  #entries: ReadonlyMap<string, readonly number[]> | undefined;

  constructor(topology: Topology, expansion: Expansion) {
    this.#topology = topology;
    this.#expansion = expansion;
    this.#names = new Names(topology);
  }

  /** Everything that `targets` name, each once and in order of numbers. Throws `TargetError` and `TooMuchWork`. */
  select(targets: readonly Target[], verb: string, scope: Scope): Selection {
    const parts = targets.map((target) => this.#one(target, verb, scope));
    this.charge(
      parts.reduce((sum, part) => sum + part.endpoints.length + part.bridges.length + part.links.length, 0),
    );
    if (parts.length === 1) return parts[0]!;
    const links = new Map(parts.flatMap((part) => part.links.map((one) => [one.link, one])));
    return {
      endpoints: [...new Set(parts.flatMap((part) => part.endpoints))].sort((a, b) => a - b),
      bridges: [...new Set(parts.flatMap((part) => part.bridges))].sort((a, b) => a - b),
      links: [...links.values()].sort((a, b) => a.link - b.link),
    };
  }

  /** Places of entries of `traffic:`, in order. Throws `TargetError`. */
  traffic({ verb, traffic: named }: FlowAction): readonly number[] {
    this.#entries ??= entriesByName(this.#topology);
    const found = new Set<number>();
    for (const { name, position } of named) {
      const entries = this.#entries.get(name);
      if (!entries) {
        const remedy = this.#suggestions.of(
          name,
          () => this.#entries!.keys(),
          `${verb} is for what traffic: of the file has, by its name`,
        );
        throw new TargetError(position, `there is no traffic ${quote(name)}`, remedy);
      }
      for (const entry of entries) found.add(entry);
    }
    return [...found].sort((a, b) => a - b);
  }

  charge(work: number): void {
    this.account.charge(work);
  }

  /** The texts of the traces that the file names. */
  get traces(): Topology['traces'] {
    return this.#topology.traces;
  }

  /** The endpoints with a link to or from the bridge with this number. */
  neighbours(bridge: number): readonly number[] {
    this.#neighbours ??= this.#findNeighbours();
    return [...(this.#neighbours.get(bridge) ?? [])];
  }

  #findNeighbours(): Map<number, Set<number>> {
    const { edges, endpoints } = this.#expansion.graph;
    const found = new Map<number, Set<number>>();
    for (const { from, to } of edges) {
      const [endpoint, bridge] = from < endpoints.length ? [from, to] : [to, from];
      if (endpoint >= endpoints.length || bridge < endpoints.length) continue;
      const known = found.get(bridge);
      if (known) known.add(endpoint);
      else found.set(bridge, new Set([endpoint]));
    }
    return found;
  }

  #one(target: Target, verb: string, scope: Scope): Selection {
    const key = `${scope.join()} ${textOf(target)}`;
    const known = this.#known.get(key);
    if (known) return known;
    const selection = this.#resolve(target, verb, scope);
    this.#known.set(key, selection);
    return selection;
  }

  #resolve(target: Target, verb: string, scope: Scope): Selection {
    if (target.kind === 'all') return this.#all(scope);
    if (target.kind === 'tag') return this.#tagged(target.tag, target.position, verb, scope);
    if (target.kind === 'link') {
      if (!scope.includes('link')) throw wrongKind(target, verb, 'a link', scope);
      return { ...EMPTY, links: this.#links(target) };
    }
    return this.#node(target.node, target.position, target, verb, scope);
  }

  #all(scope: Scope): Selection {
    const { endpoints, links } = this.#expansion.graph;
    if (scope[0] !== 'link') return { ...EMPTY, endpoints: endpoints.map((_, number) => number) };
    return { ...EMPTY, links: links.map((_, link) => this.#written(link)) };
  }

  /** For links that are not named by their ends, `up` and `down` are those of the file. */
  #written(link: number): SelectedLink {
    return { link, side: this.#expansion.origins[link]!.direction };
  }

  #tagged(tag: string, position: Position, verb: string, scope: Scope): Selection {
    this.#byTag ??= this.#indexTags();
    const all = this.#byTag.get(tag) ?? EMPTY;
    if (!scope.some((kind) => all[KINDS[kind]].length > 0)) {
      const others = (['endpoint', 'bridge', 'link'] as const).filter((kind) => all[KINDS[kind]].length > 0);
      const remedy =
        others.length > 0
          ? `it is a tag of ${others.join('s and ')}s; tag a ${scope[0]} with tags: [${tag}]`
          : this.#suggestions.of(tag, () => this.#byTag!.keys(), `tag one with tags: [${tag}]`);
      throw new TargetError(
        position,
        `${verb} is for ${scope.join('s, ')}s, and none has the tag ${quote(tag)}`,
        remedy,
      );
    }
    const kept = (kind: Scope[number]): boolean => scope.includes(kind);
    return {
      endpoints: kept('endpoint') ? all.endpoints : [],
      bridges: kept('bridge') ? all.bridges : [],
      links: kept('link') ? all.links : [],
    };
  }

  #indexTags(): Map<string, Selection> {
    const { services, bridges, links } = this.#topology;
    const { numbering, origins } = this.#expansion;
    const found = new Map<string, { endpoints: number[]; bridges: number[]; links: SelectedLink[] }>();
    const entry = (tag: string) => {
      const known = found.get(tag) ?? { endpoints: [], bridges: [], links: [] };
      found.set(tag, known);
      return known;
    };
    for (const [kind, nodes] of [
      ['endpoints', services],
      ['bridges', bridges],
    ] as const) {
      for (const { name, tags } of nodes) {
        const [start, end] = numbering.range({ name })!;
        for (const tag of new Set(tags))
          for (let node = start; node < end; node++) entry(tag)[kind].push(node);
      }
    }
    origins.forEach(({ pair }, link) => {
      for (const tag of new Set(links[pair]!.tags)) entry(tag).links.push(this.#written(link));
    });
    for (const selection of found.values()) {
      selection.endpoints.sort((a, b) => a - b);
      selection.bridges.sort((a, b) => a - b);
    }
    return found;
  }

  #node(node: NodeReference, position: Position, target: Target, verb: string, scope: Scope): Selection {
    const problem = this.#names.problem(formatReference(node));
    if (problem) throw new TargetError(position, problem.message, problem.remedy, problem.code);
    const [start, end] = this.#expansion.numbering.range(node)!;
    const kind = this.#names.services.has(node.name) ? 'endpoint' : 'bridge';
    if (!scope.includes(kind))
      throw wrongKind(target, verb, kind === 'bridge' ? 'a bridge' : 'a service', scope);
    const numbers = Array.from({ length: end - start }, (_, offset) => start + offset);
    return kind === 'bridge' ? { ...EMPTY, bridges: numbers } : { ...EMPTY, endpoints: numbers };
  }

  #links(target: LinkTarget): SelectedLink[] {
    const { from, to, directed, link: name, position } = target;
    for (const end of [from, to]) {
      const problem = this.#names.problem(formatReference(end));
      if (problem) throw new TargetError(position, problem.message, problem.remedy, problem.code);
    }
    const isMeant = (link: number): boolean =>
      name === undefined || this.#expansion.origins[link]!.name === name;
    const up = this.#between(from, to, position)
      .filter(isMeant)
      .map((link): SelectedLink => ({ link, side: 'up' }));
    const down = directed
      ? []
      : this.#between(to, from, position)
          .filter(isMeant)
          .map((link): SelectedLink => ({ link, side: 'down' }));
    if (up.length + down.length > 0) return [...up, ...down];
    const reverse = this.#between(to, from, position).some(isMeant);
    const named = textOf(target);
    const remedy = reverse
      ? 'the link is one-way: write its ends the other way round'
      : 'name the two ends of a link of this file';
    throw new TargetError(position, `there is no link ${named}`, remedy);
  }

  #between(from: NodeReference, to: NodeReference, position: Position): readonly number[] {
    this.#linksBetween ??= indexLinks(this.#expansion.origins);
    const links = this.#linksBetween.get(`${formatReference(from)}>${formatReference(to)}`);
    if (links) return links;
    for (const end of [from, to]) {
      const isShared = this.#names.services.get(end.name)?.shareLinks;
      if (end.replica === undefined || !isShared || !this.#linksBetween.has(`${from.name}>${to.name}`))
        continue;
      const remedy = `write ${end.name} instead of ${formatReference(end)}`;
      throw new TargetError(position, `the replicas of ${end.name} share this link`, remedy);
    }
    return [];
  }
}

function entriesByName({ traffic = [] }: Topology): Map<string, number[]> {
  const found = new Map<string, number[]>(traffic.length > 0 ? [['*', [...traffic.keys()]]] : []);
  for (const [entry, { name }] of traffic.entries()) {
    const known = found.get(name);
    if (known) known.push(entry);
    else found.set(name, [entry]);
  }
  return found;
}

function indexLinks(origins: readonly LinkOrigin[]): Map<string, number[]> {
  const found = new Map<string, number[]>();
  origins.forEach(({ from, to }, link) => {
    const starts = new Set([from.name, formatReference(from)]);
    const ends = new Set([to.name, formatReference(to)]);
    for (const start of starts) {
      for (const end of ends) {
        const key = `${start}>${end}`;
        const links = found.get(key);
        if (links) links.push(link);
        else found.set(key, [link]);
      }
    }
  });
  return found;
}

function wrongKind(target: Target, verb: string, what: string, scope: Scope): TargetError {
  const places = { endpoint: 'services, replicas and tags', bridge: 'bridges', link: 'links (a--b)' };
  const allowed = scope.map((kind) => places[kind]).join(', ');
  return new TargetError(
    target.position,
    `${quote(textOf(target))} is ${what}, and ${verb} is for ${allowed}`,
    `name ${allowed}`,
  );
}

/** The target as an event line writes it. */
export function textOf(target: Target): string {
  if (target.kind === 'all') return '*';
  if (target.kind === 'tag') return `tag:${target.tag}`;
  if (target.kind === 'node') return formatReference(target.node);
  const name = target.link === undefined ? '' : `:${target.link}`;
  return `${formatReference(target.from)}${target.directed ? '->' : '--'}${formatReference(target.to)}${name}`;
}
