/**
 * A network of another program → `Topology`. Every node becomes a bridge `NAME-r` with one endpoint `NAME` at it, every edge
 * a link between bridges; hubs get no endpoint. docs/formats.md has it for users.
 */
import { impairment } from '../../proto/impairment.ts';
import { checkLinks, checkNodes, Names } from '../model/check.ts';
import { type Findings, quote } from '../model/diagnostics.ts';
import type { Bridge, LinkPair, Routing, Service } from '../model/model.ts';
import type { ParsedFile } from '../model/parsed-file.ts';
import type { Position } from '../model/position.ts';
import { EdgeReader } from './edge-values.ts';
import { NodeNames } from './names.ts';
import type { Network, NetworkEdge, NetworkNode } from './network.ts';
import { type NodeValues, readNode } from './node-values.ts';
import type { Notes, Place } from './notes.ts';
import { type EdgeLink, joinDirections, withoutParallels } from './parallels.ts';

/** What the bridge of a node is called after it: r as router. */
const BRIDGE = '-r';

export interface NetworkContext {
  /** The topology's name. */
  readonly name: string;
  readonly file: string;
  readonly findings: Findings;
  /** What was told of the file already. */
  readonly notes: Notes;
}

interface Known extends NodeValues {
  readonly node: NetworkNode;
  readonly name: string;
}

/** Gives `undefined` if there is nothing to check further; the findings then have the reason. */
export function topologyOf(network: Network, context: NetworkContext): ParsedFile | undefined {
  const { findings, notes, name } = context;
  const known = nameNodes(network.nodes, context);
  const links = joinDirections(withoutParallels(readEdges(network.edges, known, context), notes), notes);
  notes.settle();
  const nodes = [...known.values()];
  const ends = nodes.filter(({ isHub }) => !isHub);
  if (ends.length === 0) {
    const start = { line: 1, column: 1 };
    findings.error(
      'NO_SERVICES',
      start,
      '',
      'the network has no nodes that could be endpoints',
      'give a file with nodes and edges',
    );
    return undefined;
  }
  const position = ({ place: { line, column } }: { place: Place }): Position => ({
    file: context.file,
    line,
    column,
  });
  const services = ends.map(
    (one): Service => ({
      name: one.name,
      replicas: 1,
      tags: [],
      forward: false,
      shareLinks: false,
      position: position(one.node),
    }),
  );
  const bridges = nodes.map(
    (one): Bridge => ({ name: one.name + BRIDGE, tags: [], position: position(one.node) }),
  );
  const access = ends.map(
    (one): LinkPair => ({
      from: one.name,
      to: one.name + BRIDGE,
      up: impairment({ bandwidth: one.up }),
      down: impairment({ bandwidth: one.down }),
      tags: [],
      position: position(one.node),
    }),
  );
  const between = links.map(({ pair }) => pair);
  const { routing } = network;
  const parts = { name, services, bridges, links: [...access, ...between], ...(routing && { routing }) };
  return checked(parts, context);
}

/** With the checks that every file passes. */
export function checked(
  parts: {
    readonly name: string;
    readonly services: readonly Service[];
    readonly bridges: readonly Bridge[];
    readonly links: readonly LinkPair[];
    readonly routing?: Routing;
  },
  { findings }: Pick<NetworkContext, 'findings'>,
): ParsedFile {
  checkNodes(parts, findings);
  const labels = {
    field: (index: number): string => `${parts.links[index]!.from}--${parts.links[index]!.to}`,
    place: (index: number): Place => parts.links[index]?.position ?? { line: 1, column: 1 },
  };
  checkLinks(parts.links, new Names(parts), labels, findings);
  return {
    topology: { routing: 'latency', ...parts, events: [] },
    fieldOf: () => 'event',
    supervisors: new Set(),
    laterHolds: false,
    withoutReuse: new Set(),
  };
}

function nameNodes(nodes: readonly NetworkNode[], { findings, notes }: NetworkContext): Map<string, Known> {
  const names = new NodeNames([BRIDGE]);
  const known = new Map<string, Known>();
  for (const node of nodes) {
    const { id, place, field } = node;
    const first = known.get(id);
    if (first) {
      const message = `the id ${quote(id)} is already used in line ${first.node.place.line}`;
      findings.error('NAME_DUPLICATE', place, field, message, 'give each node an id of its own');
      continue;
    }
    const values = readNode(node, notes);
    const name = names.of(values.label);
    if (name !== values.label) tellOfName(values.label, name, node, notes);
    known.set(id, { ...values, node, name });
  }
  return known;
}

function tellOfName(label: string, name: string, { place, field }: NetworkNode, notes: Notes): void {
  notes.tell(
    { code: 'NAME_CHANGED', what: 'nodes with other names here' },
    place,
    field,
    `${quote(label)} is called ${name} here, since names are host names of which no two are the same`,
    'use this name in commands',
  );
}

function readEdges(
  edges: readonly NetworkEdge[],
  known: ReadonlyMap<string, Known>,
  { findings, notes, file }: NetworkContext,
): EdgeLink[] {
  const hasHostRates = [...known.values()].some(({ up, down }) => up !== undefined || down !== undefined);
  const reader = new EdgeReader(findings, notes, !hasHostRates);
  return edges.flatMap((edge) => {
    const { place, field } = edge;
    const [from, to] = [known.get(edge.source), known.get(edge.target)];
    if (!from || !to) {
      const message = `there is no node ${quote(from ? edge.target : edge.source)}`;
      findings.error('NAME_UNKNOWN', place, field, message, 'name the id of a node of this file');
      return [];
    }
    if (from === to) {
      const message = `the edge leads from ${quote(edge.source)} to itself, and is left out`;
      notes.tell({ code: 'LINK_TO_ITSELF', what: 'edges from a node to itself' }, place, field, message, '');
      return [];
    }
    const value = reader.read(edge, [from, to]);
    const pair: LinkPair = {
      from: from.name + BRIDGE,
      to: to.name + BRIDGE,
      up: value,
      ...(!edge.isDirected && { down: value }),
      ...(edge.relationship && { relationship: edge.relationship }),
      tags: [],
      position: { file, ...place },
    };
    return [{ edge, pair }];
  });
}
