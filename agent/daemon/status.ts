/** The agent's status report. */
import { byPair } from '../../proto/lanes.ts';
import type {
  AgentFlows,
  AgentState,
  AgentStatus,
  FlowPath,
  FlowStatus,
  SequenceStatus,
} from '../../proto/status.ts';
import { micros, toMillis, toSeconds } from '../../proto/units.ts';
import type { AgentNews } from '../../proto/view.ts';
import type { FlowShare } from '../share/model.ts';
import type { AgentParts } from './parts.ts';
import type { Kernel } from './ports.ts';

export interface StatusSources {
  readonly state: AgentState;
  readonly ticks: { readonly count: number; readonly totalMs: number; readonly latestMs: number };
  readonly parts: Pick<
    AgentParts,
    | 'applications'
    | 'bootstrap'
    | 'clock'
    | 'epoch'
    | 'fidelity'
    | 'giverOf'
    | 'keeper'
    | 'kernel'
    | 'known'
    | 'lag'
    | 'local'
    | 'mesh'
    | 'player'
    | 'tick'
    | 'timeline'
    | 'traffic'
    | 'transport'
    | 'wideArea'
  >;
}

export function agentStatus({ state, ticks, parts }: StatusSources): AgentStatus {
  const { bootstrap, clock, epoch, keeper, kernel, known, lag, local, mesh, player, transport, wideArea } =
    parts;
  const { messagesSent, bytesSent, messagesReceived, flowAnnouncements, rejected } = mesh.stats;
  const { delay } = kernel;
  const { unbounded } = parts.applications;
  const usage = process.resourceUsage();
  return {
    host: bootstrap.host,
    state,
    shaped: keeper.isShaped,
    endpoints: local.all.map(({ name }) => name),
    known: known.size,
    expected: epoch.endpointNames.length,
    hosts: mesh.view.hosts().map(({ name, endpoints, self }) => ({ name, endpoints, self })),
    conflicts: mesh.view.conflicts(clock.now()).map((conflict) => JSON.stringify(conflict)),
    flows: flows(parts),
    mesh: {
      ...{ messagesSent, bytesSent, messagesReceived, flowAnnouncements },
      rejected: { ...rejected },
      unreachable: [...(transport.unreachable?.() ?? [])],
    },
    metadata: wideArea.metadata(),
    underlay: wideArea.underlay(
      epoch.value,
      local.all.map(({ number }) => number),
    ),
    delay: { backend: delay.name, ...delay.counters() },
    ticks: { count: ticks.count, meanMs: ticks.totalMs / Math.max(1, ticks.count), latestMs: ticks.latestMs },
    cpuSeconds: toSeconds(micros(usage.userCPUTime + usage.systemCPUTime)),
    memoryBytes: process.memoryUsage.rss(),
    degraded: keeper.degraded,
    verdict: parts.fidelity.verdict(),
    ...(parts.fidelity.probing && { probes: parts.fidelity.probing }),
    corrected: keeper.corrected,
    processes: parts.applications.status(),
    ...(unbounded !== undefined && { unbounded }),
    ...rules(kernel.rules?.()),
    ...parts.traffic.status(epoch.endpointNames),
    ...parts.traffic.simulatedStatus(parts.timeline.nowMicros, (flow) => parts.tick.simulatedRate(flow)),
    epoch: player.epoch,
    ...timelineStatus(parts),
    events: lag.summary,
    clock: mesh.clocks.status(),
  };
}

/** As in the status: flows from local endpoints. */
export function agentFlows(parts: Pick<AgentParts, 'tick' | 'epoch' | 'timeline'>): AgentFlows {
  return { flows: flows(parts), nowMs: nowMsOf(parts) };
}

export interface NewsSources {
  readonly parts: Pick<
    AgentParts,
    'applications' | 'bootstrap' | 'clock' | 'epoch' | 'fidelity' | 'mesh' | 'tick' | 'timeline' | 'traffic'
  >;
  readonly ticks: { readonly count: number; readonly totalMs: number };
  /** An instant of the agent's clock. */
  readonly measuredAfter: number;
}

/** What a recorder asks for each second: of the status no more than a record keeps. */
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

const sequenceStatus = ({ since, ...state }: AgentParts['player']['sequences'][number]): SequenceStatus => ({
  ...state,
  sinceMs: since === null ? null : toMillis(since),
});

function timelineStatus({ player, timeline, giverOf }: Pick<AgentParts, 'player' | 'timeline' | 'giverOf'>) {
  const next = player.nextAt;
  return {
    faults: player.faults(giverOf),
    ...(!player.awaited.isEmpty && { sequences: player.sequences.map(sequenceStatus) }),
    nowMs: nowMsOf({ timeline }),
    nextEventMs: next === undefined ? null : toMillis(next),
  };
}

function flows({ tick, epoch }: Pick<AgentParts, 'tick' | 'epoch'>): FlowStatus[] {
  const { graph, lanes, count } = epoch.value;
  return byPair(lanes, tick.shares).map((shares) => {
    const all = shares.map((one) => flowPath({ tick, epoch }, one));
    const [{ source, destination }] = shares as [FlowShare];
    const to = lanes.endpointOf(destination);
    return {
      from: graph.endpoints[source]!,
      to: graph.endpoints[to]!,
      rateBps: all.reduce((sum, { rateBps }) => sum + rateBps, 0),
      shareBps: all.reduce<number | null>((sum, { shareBps }) => added(sum, shareBps), 0),
      greedy: shares.some((one) => tick.meter.get(one.source, one.destination)?.greedy ?? false),
      limitedBy: all.find(({ limitedBy }) => limitedBy !== null)?.limitedBy ?? null,
      ...(lanes.areSeveral && count(source, to) > 1 && { paths: all }),
    };
  });
}

const added = (sum: number | null, more: number | null): number | null =>
  sum === null || more === null ? null : sum + more;

function flowPath(
  { tick, epoch }: Pick<AgentParts, 'tick' | 'epoch'>,
  { source, destination, ceilingBps, limitedBy }: FlowShare,
): FlowPath {
  const { graph, lanes, path } = epoch.value;
  const { links = [] } = (lanes.areSeveral && path(source, destination)) || {};
  return {
    path: lanes.laneOf(destination) + 1,
    links: links.map((link) => graph.links[link]!.name),
    rateBps: tick.meter.get(source, destination)?.rateBps ?? 0,
    shareBps: Number.isFinite(ceilingBps) ? ceilingBps : null,
    limitedBy: graph.links[limitedBy]?.name ?? null,
  };
}

function nowMsOf({ timeline }: Pick<AgentParts, 'timeline'>): number | null {
  const now = timeline.nowMicros;
  return now === undefined || now < 0 ? null : toMillis(micros(Math.floor(now)));
}

/** A file may have thousands. */
const MOST_RULES = 100;

function rules(counts: ReturnType<NonNullable<Kernel['rules']>> = new Map()): Pick<AgentStatus, 'rules'> {
  if (counts.size === 0) return {};
  const all = Array.from(counts, ([rule, { matched, applied }]) => ({ rule, matched, applied }));
  return { rules: all.sort((a, b) => b.matched - a.matched).slice(0, MOST_RULES) };
}
