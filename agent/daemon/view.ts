/** The agent's view of the mesh, with names. */
import { byPair } from '../../proto/lanes.ts';
import type { AgentState } from '../../proto/status.ts';
import type { AgentView, ViewFlow } from '../../proto/view.ts';
import type { CurrentEpoch } from '../epoch/current-epoch.ts';
import type { RemoteFlow } from '../mesh/members/model.ts';
import { decodeRate } from '../mesh/wire/rate-code.ts';
import type { AgentParts } from './parts.ts';

export interface ViewSources {
  readonly state: AgentState;
  readonly parts: Pick<AgentParts, 'bootstrap' | 'epoch' | 'keeper' | 'mesh' | 'player' | 'tick' | 'time'>;
}

export function agentView({ state, parts }: ViewSources): AgentView {
  const { bootstrap, epoch, keeper, mesh, player, tick, time } = parts;
  const { entries, low, high } = mesh.commands.digest;
  return {
    host: bootstrap.host,
    state,
    shaped: keeper.isShaped,
    degraded: keeper.degraded,
    now: time.now() ?? null,
    epoch: player.epoch,
    members: mesh.view.hosts().map(({ name, peer, incarnation }) => ({ name, peer, incarnation })),
    endpoints: mesh.view.endpoints().map(({ name, host, addresses }) => ({ name, host, addresses })),
    flows: flowsOf(parts),
    shares: byPair(epoch.value.lanes, tick.shares).map((shares) => ({
      ...namesOf(epoch, shares[0]!),
      rateBps: orNull(shares.reduce((sum, { rateBps }) => sum + rateBps, 0)),
      ceilingBps: orNull(shares.reduce((sum, { ceilingBps }) => sum + ceilingBps, 0)),
    })),
    commands: { count: entries, digest: `${low.toString(16)} ${high.toString(16)}` },
  };
}

/** The flows that this agent and all others have announced. */
function flowsOf({ mesh: { view }, epoch }: Pick<AgentParts, 'mesh' | 'epoch'>): ViewFlow[] {
  const { own } = view;
  const announced = [...own.flows].map(
    ([key, state]): RemoteFlow => ({
      source: own.sourceOf(key),
      destination: own.destinationOf(key),
      rateBps: decodeRate(state >>> 1),
      greedy: (state & 1) === 1,
    }),
  );
  const all = [...announced, ...view.remoteFlows()].sort(
    (a, b) => a.source - b.source || a.destination - b.destination,
  );
  return byPair(epoch.value.lanes, all).map((flows) => ({
    ...namesOf(epoch, flows[0]!),
    rateBps: flows.reduce((sum, { rateBps }) => sum + rateBps, 0),
    greedy: flows.some(({ greedy }) => greedy),
  }));
}

function namesOf(
  { endpointNames, value: { lanes } }: Pick<CurrentEpoch, 'endpointNames' | 'value'>,
  { source, destination }: Pick<RemoteFlow, 'source' | 'destination'>,
): Pick<ViewFlow, 'from' | 'to'> {
  return { from: endpointNames[source]!, to: endpointNames[lanes.endpointOf(destination)]! };
}

const orNull = (rate: number): number | null => (Number.isFinite(rate) ? rate : null);
