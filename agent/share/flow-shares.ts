/**
 * The shares of flows between endpoints: folds them onto the links that they compete for, weighs them by their round
 * trips, and leaves out whatever can't influence the flows that are asked for.
 */
import type { Flow, FlowShare, ShareNetwork } from './model.ts';
import { SharedFlows } from './shared-flows.ts';

/**
 * The shares of those `flows` that compete, directly or through others, with one for which `isLocal` holds (all, if
 * none is given), sorted by source and destination. Flows without a path send nothing and are left out.
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
