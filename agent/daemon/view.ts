/** What the agent takes the mesh to be, with names. */
import type { AgentView, ViewFlow } from '../../proto/view.ts';
import type { RemoteFlow } from '../mesh/members/model.ts';
import { decodeRate } from '../mesh/wire/rate-code.ts';
import type { Agent } from './agent.ts';

export function agentView(agent: Agent): AgentView {
  const { bootstrap, epoch, mesh, tick, time } = agent;
  const { endpoints } = epoch.graph;
  const { entries, low, high } = mesh.commands.digest;
  return {
    host: bootstrap.host,
    state: agent.state,
    shaped: agent.isShaped,
    degraded: agent.degraded,
    now: time.now() ?? null,
    epoch: agent.epochNumber,
    members: mesh.view.hosts().map(({ name, peer, incarnation }) => ({ name, peer, incarnation })),
    endpoints: mesh.view.endpoints().map(({ name, host, addresses }) => ({ name, host, addresses })),
    flows: flowsOf(agent),
    shares: tick.shares.map(({ source, destination, rateBps, ceilingBps }) => ({
      from: endpoints[source]!,
      to: endpoints[destination]!,
      rateBps: orNull(rateBps),
      ceilingBps: orNull(ceilingBps),
    })),
    commands: { count: entries, digest: `${low.toString(16)} ${high.toString(16)}` },
  };
}

/** What this agent has told and what it was told, alike. */
function flowsOf({ mesh: { view }, epoch }: Agent): ViewFlow[] {
  const { endpoints } = epoch.graph;
  const { own } = view;
  const told = [...own.flows].map(
    ([key, state]): RemoteFlow => ({
      source: own.sourceOf(key),
      destination: own.destinationOf(key),
      rateBps: decodeRate(state >>> 1),
      greedy: (state & 1) === 1,
    }),
  );
  return [...told, ...view.remoteFlows()]
    .sort((a, b) => a.source - b.source || a.destination - b.destination)
    .map(({ source, destination, rateBps, greedy }) => ({
      from: endpoints[source]!,
      to: endpoints[destination]!,
      rateBps,
      greedy,
    }));
}

const orNull = (rate: number): number | null => (Number.isFinite(rate) ? rate : null);
