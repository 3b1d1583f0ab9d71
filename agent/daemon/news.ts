/** What a recorder asks an agent for each second: of its status no more than a record keeps. */

import { micros, toSeconds } from '../../proto/units.ts';
import type { AgentNews } from '../../proto/view.ts';
import type { AgentParts } from './parts.ts';
import { agentFlows } from './status.ts';

export interface NewsSources {
  readonly parts: Pick<
    AgentParts,
    'applications' | 'bootstrap' | 'clock' | 'epoch' | 'fidelity' | 'mesh' | 'tick' | 'timeline' | 'traffic'
  >;
  readonly ticks: { readonly count: number; readonly totalMs: number };
  /** An instant of the agent's clock. */
  readonly measuredAfter: number;
}

export function agentNews({ parts, ticks, measuredAfter }: NewsSources): Omit<AgentNews, 'log'> {
  const { applications, bootstrap, clock, epoch, fidelity, mesh, traffic } = parts;
  const usage = process.resourceUsage();
  return {
    host: bootstrap.host,
    hosts: mesh.view.hosts().map(({ name, endpoints, self }) => ({ name, endpoints, self })),
    cpuSeconds: toSeconds(micros(usage.userCPUTime + usage.systemCPUTime)),
    memoryBytes: process.memoryUsage.rss(),
    processes: applications.status(),
    clock: mesh.clocks.status(),
    ...traffic.status(epoch.endpointNames),
    ...agentFlows(parts),
    tickMs: ticks.totalMs / Math.max(1, ticks.count),
    measuredUntil: clock.now(),
    measured: fidelity.measured(measuredAfter),
  };
}
