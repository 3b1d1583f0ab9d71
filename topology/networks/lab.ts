/**
 * A lab of hosts and switches, as emulators have them → `Topology`: a service for each host or router, a bridge for each switch.
 * In contrast to a network (topology.ts), endpoints are there already.
 */
import { type DiagnosticCode, quote } from '../model/diagnostics.ts';
import type { Bridge, LinkPair, Service } from '../model/model.ts';
import type { ParsedFile } from '../model/parsed-file.ts';
import { EdgeReader } from './edge-values.ts';
import { NodeNames } from './names.ts';
import type { NetworkEdge } from './network.ts';
import type { Place } from './notes.ts';
import { type EdgeLink, joinDirections, withoutParallels } from './parallels.ts';
import { checked, type NetworkContext } from './topology.ts';
import { edgeMeaning } from './vocabulary.ts';

export interface LabNode {
  /** What edges call it. */
  readonly id: string;
  /** What people call it. */
  readonly label: string;
  readonly kind: 'host' | 'router' | 'switch';
  readonly image?: string;
  readonly command?: readonly string[];
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly place: Place;
  readonly field: string;
}

export interface Lab {
  readonly nodes: readonly LabNode[];
  readonly edges: readonly NetworkEdge[];
  /** Whether hosts with links to several others are routers, where the file does not say which are. */
  readonly guessesRouters?: boolean;
}

interface Known {
  readonly node: LabNode;
  readonly name: string;
}

/** Gives `undefined` if there is nothing to check further; the findings then have the reason. */
export function labOf(lab: Lab, context: NetworkContext): ParsedFile | undefined {
  const { findings, notes, name, file } = context;
  const known = nameNodes(lab.nodes, context);
  const links = joinDirections(withoutParallels(readEdges(lab.edges, known, context), notes), notes);
  const degrees = new Map<string, number>();
  for (const { pair } of links)
    for (const end of [pair.from, pair.to]) degrees.set(end, (degrees.get(end) ?? 0) + 1);
  const position = ({ line, column }: Place) => ({ file, line, column });
  const services: Service[] = [];
  const bridges: Bridge[] = [];
  for (const { node, name: called } of known.values()) {
    const { kind, image, command, run, env, place, field } = node;
    if (kind === 'switch') {
      bridges.push({ name: called, tags: [], position: position(place) });
      continue;
    }
    const degree = degrees.get(called) ?? 0;
    const isGuessed = kind === 'host' && lab.guessesRouters === true && degree > 1;
    if (isGuessed) {
      const message = `${called} is linked to ${degree} others, and forwards here, as a router does`;
      const remedy = 'if it is a host, convert the file and remove its forward: true';
      notes.tell({ code: 'FORWARD_ASSUMED', what: 'nodes that forward' }, place, field, message, remedy);
    }
    services.push({
      name: called,
      replicas: 1,
      ...(run !== undefined && { run }),
      ...(image !== undefined && { image }),
      ...(command && { command }),
      ...(env && { env }),
      tags: [],
      forward: kind === 'router' || isGuessed,
      shareLinks: false,
      position: position(place),
    });
  }
  notes.settle();
  if (services.length === 0) {
    const message = 'the lab has no hosts or routers';
    findings.error('NO_SERVICES', { line: 1, column: 1 }, '', message, 'add some');
    return undefined;
  }
  return checked({ name, services, bridges, links: links.map(({ pair }) => pair) }, context);
}

function nameNodes(nodes: readonly LabNode[], { findings, notes }: NetworkContext): Map<string, Known> {
  const names = new NodeNames();
  const known = new Map<string, Known>();
  for (const node of nodes) {
    const { id, label, place, field } = node;
    const first = known.get(id);
    if (first) {
      const message = `${quote(id)} is already there in line ${first.node.place.line}`;
      findings.error('NAME_DUPLICATE', place, field, message, 'give each node a name of its own');
      continue;
    }
    const name = names.of(label || id);
    if (name !== (label || id)) {
      const message = `${quote(label || id)} is called ${name} here, since names are host names`;
      const kind = { code: 'NAME_CHANGED', what: 'nodes with other names here' } as const;
      notes.tell(kind, place, field, message, 'use this name in commands');
    }
    known.set(id, { node, name });
  }
  return known;
}

/** What a link of a lab does not say, it does not do. */
function readEdges(
  edges: readonly NetworkEdge[],
  known: ReadonlyMap<string, Known>,
  { findings, notes, file }: NetworkContext,
): EdgeLink[] {
  const reader = new EdgeReader(findings, notes, false);
  const nowhere = { label: '', isHub: false };
  const tell = (code: DiagnosticCode, what: string, { place, field }: NetworkEdge, message: string): void =>
    notes.tell({ code, what }, place, field, message, '');
  return edges.flatMap((edge) => {
    const { source, target, place, field } = edge;
    const [from, to] = [known.get(source), known.get(target)];
    if (!from || !to) {
      const message = `there is no node ${quote(from ? target : source)}`;
      findings.error('NAME_UNKNOWN', place, field, message, 'name a node of this file');
      return [];
    }
    if (from === to) {
      const message = `the link leads from ${quote(source)} to itself, and is left out`;
      tell('LINK_TO_ITSELF', 'links from a node to itself', edge, message);
      return [];
    }
    const value = reader.read(withLatency(edge), [nowhere, nowhere]);
    const pair: LinkPair = {
      from: from.name,
      to: to.name,
      up: value,
      ...(!edge.isDirected && { down: value }),
      tags: [],
      position: { file, ...place },
    };
    return [{ edge, pair }];
  });
}

function withLatency(edge: NetworkEdge): NetworkEdge {
  const isThere = [...edge.attributes].some(([key, text]) => {
    return edgeMeaning(key)?.what === 'latency' && text.trim() !== '';
  });
  return isThere ? edge : { ...edge, attributes: new Map([...edge.attributes, ['delay', '0ms']]) };
}

/** Told once of a file whose links can't say what they do. */
export function tellOfProperties(place: Place, { notes }: Pick<NetworkContext, 'notes'>): void {
  const message = 'links of such a file have no latency, loss or bandwidth: neither have those here';
  const remedy = 'convert the file and write them there, or set them while the lab runs';
  notes.tell({ code: 'LATENCY_ASSUMED', what: 'links without properties' }, place, '', message, remedy);
}
