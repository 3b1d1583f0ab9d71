/** An inventory's wishes, for the endpoints of a topology. */
import { Findings, quote } from '../../topology/model/diagnostics.ts';
import type { Graph, Topology } from '../../topology/model/model.ts';
import { parseReference, Suggestions, serviceOf } from '../../topology/model/names.ts';
import type { Inventory, InventoryHost, Reference } from '../inventory/model.ts';
import type { Group, HostRoom, Wishes } from './model.ts';

export function roomOf({ name, cores, memoryBytes, bandwidth, endpoints }: InventoryHost): HostRoom {
  return {
    name,
    ...(cores !== undefined && { cores }),
    ...(memoryBytes !== undefined && { memoryBytes }),
    ...(bandwidth !== undefined && { bandwidth }),
    ...(endpoints !== undefined && { endpoints }),
  };
}

/**
 * Throws `TopologyError` for names that the topology does not have, with their lines in the inventory. Of several needs of
 * an endpoint, the last holds; of several pins, what they have in common.
 */
export function wishesOf(inventory: Inventory, topology: Topology, graph: Graph): Wishes {
  const findings = new Findings(inventory.file);
  const endpoints = new Endpoints(topology, graph, findings);
  const cores = new Float64Array(graph.endpoints.length);
  const memoryBytes = new Float64Array(graph.endpoints.length);
  for (const need of inventory.needs) {
    for (const endpoint of endpoints.of(need.of)) {
      if (need.cores !== undefined) cores[endpoint] = need.cores;
      if (need.memoryBytes !== undefined) memoryBytes[endpoint] = need.memoryBytes;
    }
  }
  const pins = new Pins(inventory, graph, findings);
  inventory.hosts.forEach((host, index) => {
    for (const one of host.is) for (const endpoint of endpoints.of(one)) pins.add(endpoint, [index], one);
  });
  for (const { of, hosts } of inventory.pins)
    for (const endpoint of endpoints.of(of)) pins.add(endpoint, pins.indices(hosts), of);
  const apart = inventory.apart.map((references): Group => {
    const all = new Set(references.flatMap((one) => endpoints.of(one)));
    return { text: references.map(({ text }) => text).join(', '), endpoints: [...all] };
  });
  findings.settle();
  return { cores, memoryBytes, hostsOf: pins.hostsOf, apart };
}

class Pins {
  readonly hostsOf = new Map<number, readonly number[]>();
  readonly #indexOf: ReadonlyMap<string, number>;
  readonly #graph: Graph;
  readonly #findings: Findings;

  constructor({ hosts }: Inventory, graph: Graph, findings: Findings) {
    this.#indexOf = new Map(hosts.map(({ name }, index) => [name, index]));
    this.#graph = graph;
    this.#findings = findings;
  }

  indices(names: readonly string[]): number[] {
    return names.map((name) => this.#indexOf.get(name)!);
  }

  add(endpoint: number, hosts: readonly number[], { field, position }: Reference): void {
    const before = this.hostsOf.get(endpoint);
    const common = before ? before.filter((host) => hosts.includes(host)) : hosts;
    if (common.length > 0) this.hostsOf.set(endpoint, common);
    else {
      const message = `${this.#graph.endpoints[endpoint]!} is pinned to another host already`;
      this.#findings.error('VALUE_INVALID', position, field, message, 'leave one of the pins out');
    }
  }
}

/** Services, endpoints and tags of a topology, looked up by name. */
class Endpoints {
  readonly #byName = new Map<string, number[]>();
  readonly #suggestions = new Suggestions();
  readonly #findings: Findings;

  constructor({ services }: Topology, { endpoints }: Graph, findings: Findings) {
    this.#findings = findings;
    const tags = new Map(services.map((service) => [service.name, service.tags]));
    endpoints.forEach((name, number) => {
      const service = serviceOf(name);
      const names = [name, service, ...(tags.get(service) ?? []).map((tag) => `tag:${tag}`)];
      for (const one of names) {
        const known = this.#byName.get(one);
        if (known) known.push(number);
        else this.#byName.set(one, [number]);
      }
    });
  }

  of({ text, field, position }: Reference): readonly number[] {
    const found = this.#byName.get(text);
    if (found) return found;
    const isReplica = parseReference(text)?.replica !== undefined;
    const what = text.startsWith('tag:')
      ? 'no service has the tag'
      : isReplica
        ? 'there is no endpoint'
        : 'there is no service';
    const shown = text.startsWith('tag:') ? text.slice('tag:'.length) : text;
    const otherwise = 'name a service of the topology, a replica such as client.0, or tag:NAME';
    const remedy = this.#suggestions.of(text, () => this.#byName.keys(), otherwise);
    this.#findings.error('NAME_UNKNOWN', position, field, `${what} ${quote(shown)} in the topology`, remedy);
    return [];
  }
}
