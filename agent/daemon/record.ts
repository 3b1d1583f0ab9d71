/** What the agent remembers of how it reacted, with names. */
import type { AgentRecord } from '../../proto/record.ts';
import type { Agent } from './agent.ts';

export function agentRecord({ bootstrap, epoch, shareRecord, timeline }: Agent): AgentRecord {
  const { endpoints } = epoch.graph;
  const { moments, forgotten } = timeline.applied;
  return {
    host: bootstrap.host,
    tickMs: bootstrap.tickMs,
    shares: shareRecord.entries().map(({ atMicros, source, destination, shareBps, epoch: during }) => ({
      atMicros,
      from: endpoints[source]!,
      to: endpoints[destination]!,
      shareBps: Number.isFinite(shareBps) ? shareBps : null,
      epoch: during,
    })),
    events: moments,
    forgotten: { shares: shareRecord.forgotten, events: forgotten },
  };
}
