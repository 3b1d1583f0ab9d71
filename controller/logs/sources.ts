/** Which log files a node's name stands for: one endpoint, or all replicas of a service. Pure. */

/** The node itself, or the replicas of the service, in the order of `nodes`; empty if there are none. */
export function nodesNamed(node: string, nodes: readonly string[]): string[] {
  return nodes.includes(node) ? [node] : nodes.filter((one) => one.startsWith(`${node}.`));
}
