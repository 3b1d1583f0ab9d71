/**
 * The shares of flows between endpoints: maps flows to the links that they compete for, weights them by round-trip
 * time, and leaves out all that can't affect the requested flows.
 */
import type { Flow, FlowShare, ShareNetwork } from './model.ts';
import { SharedFlows } from './shared-flows.ts';

/**
 * The shares of those `flows` that compete, directly or through others, with one for which `isLocal` holds (all if it
 * is omitted), sorted by source and destination. Flows without a path send nothing and are left out.
 *
 * The result for a flow is the same to the bit on every host that knows the same flows, in whatever order and
 * whichever of them are local. O(crossings × log).
 */
export function flowShares(
  network: ShareNetwork,
  flows: readonly Flow[],
  isLocal: (flow: Flow) => boolean = () => true,
): FlowShare[] {
  const shared = new SharedFlows(network, isLocal);
  shared.update(flows);
  return shared.all();
}
