/** A network as another program describes it: nodes and edges with attributes, before netfold's names and units. */
import type { Relationship, Routing } from '../model/model.ts';
import type { Place } from './notes.ts';

export interface NetworkNode {
  /** What edges call it. */
  readonly id: string;
  /** A part of the network only, such as a hyperedge: it gets no endpoint. */
  readonly isHub?: boolean;
  readonly attributes: Attributes;
  readonly place: Place;
  /** In messages: `<node id="n3">`, `node 3`. */
  readonly field: string;
}

export interface NetworkEdge {
  readonly source: string;
  readonly target: string;
  /** From source to target only. */
  readonly isDirected: boolean;
  /** One of the legs of an edge among several nodes: half of its latency. */
  readonly isLeg?: boolean;
  /** What the target is for the source, where the two are systems that pay each other, or not. */
  readonly relationship?: Relationship;
  readonly attributes: Attributes;
  readonly place: Place;
  readonly field: string;
}

/** Names as in the file → texts as in the file. */
export type Attributes = ReadonlyMap<string, string>;

export interface Network {
  readonly nodes: readonly NetworkNode[];
  readonly edges: readonly NetworkEdge[];
  /** Absent: by latency. */
  readonly routing?: Routing;
}
