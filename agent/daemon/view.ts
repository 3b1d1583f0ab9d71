/** The agent's view of the mesh, with names. */
import type { AgentState } from '../../proto/status.ts';
import type { AgentView, ViewFlow } from '../../proto/view.ts';
import type { RemoteFlow } from '../mesh/members/model.ts';
import { decodeRate } from '../mesh/wire/rate-code.ts';
import type { AgentParts } from './parts.ts';

export interface ViewSources {
  readonly state: AgentState;
  readonly parts: Pick<AgentParts, 'bootstrap' | 'epoch' | 'keeper' | 'mesh' | 'player' | 'tick' | 'time'>;
}

export function agentView({ state, parts }: ViewSources): AgentView {
  const { bootstrap, epoch, keeper, mesh, player, tick, time } = parts;
  const names = epoch.endpointNames;
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
    shares: tick.shares.map(({ source, destination, rateBps, ceilingBps }) => ({
      from: names[source]!,
      to: names[destination]!,
      rateBps: orNull(rateBps),
      ceilingBps: orNull(ceilingBps),
    })),
    commands: { count: entries, digest: `${low.toString(16)} ${high.toString(16)}` },
  };
}

/** The flows that this agent and all others have announced. */
function flowsOf({ mesh: { view }, epoch }: Pick<AgentParts, 'mesh' | 'epoch'>): ViewFlow[] {
  const names = epoch.endpointNames;
  const { own } = view;
  const announced = [...own.flows].map(
    ([key, state]): RemoteFlow => ({
      source: own.sourceOf(key),
      destination: own.destinationOf(key),
      rateBps: decodeRate(state >>> 1),
      greedy: (state & 1) === 1,
    }),
  );
  return [...announced, ...view.remoteFlows()]
    .sort((a, b) => a.source - b.source || a.destination - b.destination)
    .map(({ source, destination, rateBps, greedy }) => ({
      from: names[source]!,
      to: names[destination]!,
      rateBps,
      greedy,
    }));
}

const orNull = (rate: number): number | null => (Number.isFinite(rate) ? rate : null);
