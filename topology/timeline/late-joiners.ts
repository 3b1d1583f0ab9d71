/** Which endpoints and links are absent at the start of an experiment. */

import { ENDPOINT_ONLY, FLAP_SCOPE, LIFECYCLE_SCOPE } from '../events/scopes.ts';
import { type Selection, TargetError, type Targets } from '../events/targets.ts';
import type { EventAction, LifecycleAction } from '../model/events.ts';
import type { Graph } from '../model/model.ts';
import type { Presence } from './state.ts';

/**
 * `actions`: of all events, in the order in which they start. A target whose first event is a join is absent until
 * then.
 */
export function presenceBefore(actions: readonly EventAction[], targets: Targets, graph: Graph): Presence {
  const presence = {
    present: new Uint8Array(graph.endpoints.length).fill(1),
    goneBridges: new Uint8Array(graph.nodes.length),
    goneLinks: new Uint8Array(graph.links.length),
  };
  const decided = {
    endpoints: new Uint8Array(graph.nodes.length),
    links: new Uint8Array(graph.links.length),
  };
  const seen = new Set<Selection>();
  for (const action of actions) {
    const selection = lifecycleSelection(action, targets);
    if (!selection || seen.has(selection)) continue;
    seen.add(selection);
    const joins = (action.verb === 'scatter' ? action.what : action.verb) === 'join' ? 1 : 0;
    for (const node of [...selection.endpoints, ...selection.bridges]) {
      if (decided.endpoints[node]) continue;
      decided.endpoints[node] = 1;
      if (node < presence.present.length) presence.present[node] = joins ? 0 : 1;
      else presence.goneBridges[node] = joins;
    }
    for (const { link } of selection.links) {
      if (!decided.links[link]) presence.goneLinks[link] = joins;
      decided.links[link] = 1;
    }
  }
  return presence;
}

function lifecycleSelection(action: EventAction, all: Targets): Selection | undefined {
  try {
    if (action.verb === 'flap') return all.select(action.targets, 'flap', FLAP_SCOPE);
    if (action.verb === 'churn') return all.select(action.targets, 'churn', ENDPOINT_ONLY);
    if (action.verb === 'scatter') return all.select(action.targets, action.what, ENDPOINT_ONLY);
    if (!(action.verb in LIFECYCLE_SCOPE)) return undefined;
    const { verb, targets } = action as LifecycleAction;
    return all.select(targets, verb, LIFECYCLE_SCOPE[verb]);
  } catch (error) {
    // Reported when the event is played.
    if (error instanceof TargetError) return undefined;
    throw error;
  }
}
