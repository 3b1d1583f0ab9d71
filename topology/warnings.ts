/** Valid, but probably a mistake. */
import type { Findings } from './model/diagnostics.ts';
import type { Graph, Topology } from './model/model.ts';
import { parseReference, serviceOf } from './model/names.ts';

/** Adds the warnings of a topology that has no errors. `graph`: its expansion. */
export function warnOf(topology: Topology, graph: Graph, findings: Findings): void {
  if (topology.links.length === 0) {
    const place = topology.services[0]?.position ?? { line: 1, column: 1 };
    findings.warning(
      'NO_LINKS',
      place,
      'links',
      'there are no links, so no endpoint reaches another',
      'add links',
    );
    return;
  }
  const linked = new Set(
    topology.links.flatMap(({ from, to }) => [parseReference(from)?.name, parseReference(to)?.name]),
  );
  for (const { name, position } of topology.bridges) {
    if (linked.has(name)) continue;
    findings.warning(
      'BRIDGE_UNLINKED',
      position,
      `bridges.${name}`,
      `the bridge ${name} has no links`,
      'link it or remove it',
    );
  }
  warnOfIsolation(topology, graph, findings);
}

function warnOfIsolation(topology: Topology, graph: Graph, findings: Findings): void {
  const endpoints = topology.services.reduce((sum, service) => sum + service.replicas, 0);
  if (endpoints < 2) return;
  const reaches = endpointsThatReachOthers(graph);
  for (const { name, position } of topology.services) {
    if (reaches.has(name)) continue;
    const message = `${name} can't reach any other endpoint`;
    findings.warning(
      'SERVICE_ISOLATED',
      position,
      `services.${name}`,
      message,
      'check its links, and which of them are one-way',
    );
  }
}

/**
 * Names of the services with an endpoint that reaches another one. Searches stop at the first endpoint found, and a
 * bridge that leads to no endpoint is searched once, so the whole is linear.
 */
function endpointsThatReachOthers({ endpoints, nodes, edges }: Graph): Set<string> {
  const next: number[][] = Array.from({ length: nodes.length }, () => []);
  for (const { from, to } of edges) next[from]!.push(to);
  const dead = new Uint8Array(nodes.length);
  const reaching = new Set<string>();
  for (let source = 0; source < endpoints.length; source++) {
    const service = serviceOf(endpoints[source]!);
    if (!reaching.has(service) && reachesAnother(source, next, endpoints.length, dead)) reaching.add(service);
  }
  return reaching;
}

function reachesAnother(
  source: number,
  next: readonly number[][],
  endpointCount: number,
  dead: Uint8Array,
): boolean {
  const visited = new Set([source]);
  const pending = [source];
  let touchedSource = false;
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    for (const neighbour of next[node]!) {
      if (neighbour === source) touchedSource = true;
      else if (neighbour < endpointCount) return true;
      else if (!dead[neighbour] && !visited.has(neighbour)) {
        visited.add(neighbour);
        pending.push(neighbour);
      }
    }
  }
  if (!touchedSource) for (const node of visited) if (node >= endpointCount) dead[node] = 1;
  return false;
}
