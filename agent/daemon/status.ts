/** What the agent says of itself. */
import type { AgentStatus, FlowStatus } from '../../proto/status.ts';
import type { Agent } from './agent.ts';

export function agentStatus(agent: Agent): AgentStatus {
  const { bootstrap, epoch, mesh, ticks } = agent;
  const { messagesSent, bytesSent, messagesReceived, flowAnnouncements, rejected } = mesh.stats;
  const usage = process.resourceUsage();
  return {
    host: bootstrap.host,
    state: agent.state,
    shaped: agent.isShaped,
    endpoints: bootstrap.endpoints.map(({ name }) => name),
    known: agent.known,
    expected: epoch.graph.endpoints.length,
    hosts: mesh.view.hosts().map(({ name, endpoints, self }) => ({ name, endpoints, self })),
    conflicts: mesh.view.conflicts(performance.now()).map((conflict) => JSON.stringify(conflict)),
    flows: flows(agent),
    mesh: {
      ...{ messagesSent, bytesSent, messagesReceived, flowAnnouncements },
      rejected: { ...rejected },
      unreachable: [...agent.unreachable],
    },
    metadata: agent.wideArea.metadata(),
    underlay: agent.wideArea.underlay(
      epoch,
      bootstrap.endpoints.map(({ number }) => number),
    ),
    delay: { backend: agent.delay.name, ...agent.delay.counters() },
    ticks: { count: ticks.count, meanMs: ticks.totalMs / Math.max(1, ticks.count), latestMs: ticks.latestMs },
    cpuSeconds: (usage.userCPUTime + usage.systemCPUTime) / 1e6,
    memoryBytes: process.memoryUsage.rss(),
    degraded: agent.degraded,
    processes: agent.applications.status(),
    epoch: agent.epochNumber,
    events: agent.timeline.lag,
    clock: mesh.clocks.status(),
  };
}

function flows({ tick, epoch }: Agent): FlowStatus[] {
  const { endpoints, links } = epoch.graph;
  return tick.shares.map(({ source, destination, ceilingBps, limitedBy }) => {
    const flow = tick.meter.get(source, destination);
    return {
      from: endpoints[source]!,
      to: endpoints[destination]!,
      rateBps: flow?.rateBps ?? 0,
      shareBps: Number.isFinite(ceilingBps) ? ceilingBps : null,
      greedy: flow?.greedy ?? false,
      limitedBy: links[limitedBy]?.name ?? null,
    };
  });
}
