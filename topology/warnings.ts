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

/** No endpoint. */
const NONE = -1;

/**
 * Names of the services with an endpoint that reaches another one. Each bridge knows up to two endpoints that it leads to,
 * handed on against the links' direction: a bridge learns at most twice, so the whole is linear.
 */
function endpointsThatReachOthers({ endpoints, nodes, edges }: Graph): Set<string> {
  const count = endpoints.length;
  const previous: number[][] = Array.from({ length: nodes.length }, () => []);
  for (const { from, to } of edges) previous[to]!.push(from);
  const first = new Int32Array(nodes.length).fill(NONE);
  const second = new Int32Array(nodes.length).fill(NONE);
  const pending: number[] = [];
  const learn = (node: number, endpoint: number): void => {
    if (node === endpoint || endpoint === NONE || first[node] === endpoint || second[node] !== NONE) return;
    if (first[node] === NONE) first[node] = endpoint;
    else second[node] = endpoint;
    // Endpoints forward nothing.
    if (node >= count) pending.push(node);
  };
  for (let endpoint = 0; endpoint < count; endpoint++)
    for (const node of previous[endpoint]!) learn(node, endpoint);
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    for (const before of previous[node]!) {
      learn(before, first[node]!);
      learn(before, second[node]!);
    }
  }
  return new Set(endpoints.filter((_, endpoint) => first[endpoint] !== NONE).map(serviceOf));
}
