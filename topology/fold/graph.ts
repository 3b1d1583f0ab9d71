/** `Topology` → `Graph`: services become replicas, link pairs become directed links. */
import type { Impairment } from '../../proto/impairment.ts';
import {
  type Edge,
  type Graph,
  type GraphLink,
  type LinkPair,
  type Relationship,
  reversed,
  type Service,
  type Topology,
} from '../model/model.ts';
import { formatReference, type NodeReference, parseReference, serviceOf } from '../model/names.ts';
import { graphRoutes } from './graph-routes.ts';
import { Numbering } from './numbering.ts';

/** The whole topology, with every replica present and no event applied. */
export function expandGraph(topology: Topology): Graph {
  return new Expansion(topology).graph;
}

/** Where a `GraphLink` comes from. A replica is left out if all replicas share the link, and for a bridge. */
export interface LinkOrigin {
  /** Index into `Topology.links`. */
  readonly pair: number;
  readonly direction: 'up' | 'down';
  readonly from: NodeReference;
  readonly to: NodeReference;
  /** Of the pair. */
  readonly name?: string;
}

/** The graph together with the origin of each of its links; events select links by it. */
export class Expansion {
  readonly graph: Graph;
  readonly numbering: Numbering;
  /** Parallel to `graph.links`. */
  readonly origins: readonly LinkOrigin[];

  readonly #links: GraphLink[] = [];
  readonly #origins: LinkOrigin[] = [];
  readonly #edges: Edge[] = [];
  readonly #services: ReadonlyMap<string, Service>;

  constructor(topology: Topology) {
    this.numbering = new Numbering(topology);
    this.#services = new Map(topology.services.map((service) => [service.name, service]));
    topology.links.forEach((link, index) => {
      this.#expand(link, index);
    });
    const { nodes, endpointCount } = this.numbering;
    const forwards = nodes.map((name, node) => {
      return node >= endpointCount || (this.#services.get(serviceOf(name))?.forward ?? false);
    });
    const endpoints = nodes.slice(0, endpointCount);
    this.origins = this.#origins;
    this.graph = {
      routing: topology.routing,
      ...(topology.ecmp !== undefined && { ecmp: topology.ecmp }),
      ...(topology.transmission && { transmission: topology.transmission }),
      endpoints,
      nodes,
      forwards,
      edges: this.#edges,
      links: this.#links,
      ...(topology.routes?.length && { routes: graphRoutes(topology.routes, this.numbering) }),
    };
  }

  #expand(link: LinkPair, pair: number): void {
    const from = parseReference(link.from)!;
    const to = parseReference(link.to)!;
    const { weights, relationship } = link;
    const back = relationship && reversed(relationship);
    const up = routed(link.up, weights?.up, relationship);
    this.#direction(from, to, up, { pair, direction: 'up', ...named(link) });
    if (link.down)
      this.#direction(to, from, routed(link.down, weights?.down, back), {
        pair,
        direction: 'down',
        ...named(link),
      });
  }

  #direction(
    from: NodeReference,
    to: NodeReference,
    impairment: Routed,
    origin: Pick<LinkOrigin, 'pair' | 'direction' | 'name'>,
  ): void {
    const suffix = origin.name === undefined ? '' : `:${origin.name}`;
    for (const source of this.#ends(from)) {
      for (const target of this.#ends(to)) {
        const link = this.#links.length;
        const name = `${formatReference(source)}->${formatReference(target)}${suffix}`;
        this.#links.push({ ...impairment, name });
        this.#origins.push({ ...origin, from: source, to: target });
        const [sourceStart, sourceEnd] = this.numbering.range(source)!;
        const [targetStart, targetEnd] = this.numbering.range(target)!;
        for (let a = sourceStart; a < sourceEnd; a++) {
          for (let b = targetStart; b < targetEnd; b++) this.#edges.push({ from: a, to: b, link });
        }
      }
    }
  }

  /** The ends that get a link of their own: each replica, or the service as a whole if its replicas share links. */
  #ends(reference: NodeReference): NodeReference[] {
    const service = this.#services.get(reference.name);
    if (!service || reference.replica !== undefined || service.shareLinks) return [reference];
    return Array.from({ length: service.replicas }, (_, replica) => ({ name: service.name, replica }));
  }
}

/** A direction with what routing needs of it. */
type Routed = Impairment & Pick<GraphLink, 'weight' | 'relationship'>;
function routed(of: Impairment, weight: number | undefined, relationship: Relationship | undefined): Routed {
  if (weight === undefined && relationship === undefined) return of;
  return { ...of, ...(weight !== undefined && { weight }), ...(relationship && { relationship }) };
}
const named = ({ name }: LinkPair): { name?: string } => (name === undefined ? {} : { name });
