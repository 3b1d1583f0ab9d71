import { readFileSync } from 'node:fs';
import { Folding } from '../../../../topology/fold/fold.ts';
import { expandGraph } from '../../../../topology/fold/graph.ts';
import { formatOf } from '../../../../topology/formats/registry.ts';
import { loadTopology } from '../../../../topology/load.ts';
import type { Path, Topology } from '../../../../topology/model/model.ts';

const FOLDER = new URL('../../../../examples/formats/', import.meta.url);

export interface Example {
  readonly format: string;
  readonly topology: Topology;
  /** `line code message`. */
  readonly told: readonly string[];
}

/** A file of examples/formats/, read as `file` would be if it was called `as`. */
export function example(file: string, as = file): Example {
  return imported(readFileSync(new URL(file, FOLDER), 'utf8'), as);
}

export function imported(text: string, file: string): Example {
  const { topology, warnings } = loadTopology(text, file);
  const told = warnings.map(({ line, code, message }) => `${line} ${code} ${message}`);
  return { format: formatOf({ file, text }).name, topology, told };
}

export const names = (all: readonly { readonly name: string }[]): string[] => all.map(({ name }) => name);

/** `a->b 5ms`, of links between bridges. */
export function linkOf(topology: Topology, from: string, to: string) {
  return topology.links.find((link) => link.from === from && link.to === to);
}

/** Between two endpoints, by the names of their services; `undefined`: there is none. */
export function pathOf(topology: Topology, from: string, to: string): Path | undefined {
  const graph = expandGraph(topology);
  const number = (service: string): number => graph.endpoints.indexOf(`${service}.0`);
  return new Folding(graph).path(number(from), number(to));
}
