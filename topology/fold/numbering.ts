/** Numbers of endpoints and bridges: they depend on the file alone, so that they are the same for every agent. */
import type { Topology } from '../model/model.ts';
import { compareNames, endpointName, type NodeReference } from '../model/names.ts';

export class Numbering {
  /** Names of endpoints, then of bridges. */
  readonly nodes: readonly string[];
  readonly endpointCount: number;
  readonly #ranges = new Map<string, readonly [start: number, end: number]>();

  constructor(topology: Pick<Topology, 'services' | 'bridges'>) {
    const nodes: string[] = [];
    for (const { name, replicas } of topology.services.toSorted((a, b) => compareNames(a.name, b.name))) {
      this.#ranges.set(name, [nodes.length, nodes.length + replicas]);
      for (let replica = 0; replica < replicas; replica++) nodes.push(endpointName(name, replica));
    }
    this.endpointCount = nodes.length;
    for (const { name } of topology.bridges.toSorted((a, b) => compareNames(a.name, b.name))) {
      this.#ranges.set(name, [nodes.length, nodes.length + 1]);
      nodes.push(name);
    }
    this.nodes = nodes;
  }

  /** The numbers that a reference means, first to one past last; `undefined` if the topology has no such node. */
  range(reference: NodeReference): readonly [start: number, end: number] | undefined {
    const whole = this.#ranges.get(reference.name);
    if (!whole || reference.replica === undefined) return whole;
    const number = whole[0] + reference.replica;
    return number < whole[1] && number < this.endpointCount ? [number, number + 1] : undefined;
  }
}
