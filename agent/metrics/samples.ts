/** What an agent knows of itself → samples of its metrics (proto/metrics/table.ts). Pure. */
import type { CommandState } from '../../proto/command.ts';
import type { AgentMetric, Sample } from '../../proto/metrics/table.ts';
import type { AgentState, AgentStatus, AgentVerdict, VerdictState } from '../../proto/status.ts';
import { bps, millisToSeconds, toBytesPerSecond } from '../../proto/units.ts';
import type { Graph } from '../../topology/model/model.ts';
import type { Traffic } from './traffic.ts';

const AGENT_STATES: readonly AgentState[] = ['starting', 'waiting', 'ready', 'running', 'stopping'];
const VERDICTS: readonly VerdictState[] = ['faithful', 'degraded', 'invalid'];
const COMMAND_STATES: readonly CommandState[] = ['pending', 'done', 'undone', 'failed'];

export interface Known {
  readonly experiment: string;
  readonly status: AgentStatus;
  /** With all causes that are kept. */
  readonly verdict: AgentVerdict;
  readonly commands: readonly { readonly status: CommandState }[];
  readonly graph: Pick<Graph, 'endpoints' | 'links'>;
  readonly traffic: Traffic;
  readonly probes: {
    readonly sent: number;
    readonly lost: number;
    readonly workMs: number;
    readonly turns: number;
    readonly behind: number;
    readonly paths: number;
  };
  readonly uncounted: number;
  readonly bypassed: number;
  /** All ticks together, ms. */
  readonly tickMs: number;
}

/** Takes samples with the labels of the agent. */
type Add = (
  name: AgentMetric,
  value: number | null | undefined,
  labels?: Readonly<Record<string, string>>,
) => void;

export function agentSamples(known: Known): Sample<AgentMetric>[] {
  const samples: Sample<AgentMetric>[] = [];
  const own = { experiment: known.experiment, host: known.status.host };
  const add: Add = (name, value, labels = {}) => {
    if (value === null || value === undefined || Number.isNaN(value)) return;
    samples.push({ name, labels: { ...own, ...labels }, value: Number.isFinite(value) ? value : '+Inf' });
  };
  ofAgent(known, add);
  ofTraffic(known, add);
  ofPackets(known, add);
  ofTimeline(known, add);
  ofMesh(known.status, add);
  ofVerdict(known.verdict, add);
  return samples;
}

/** One series for each state: that of now is 1. */
function oneOf(add: Add, name: AgentMetric, states: readonly string[], now: string): void {
  for (const state of states) add(name, state === now ? 1 : 0, { state });
}

function ofAgent({ status, tickMs }: Known, add: Add): void {
  oneOf(add, 'netfold_agent_state', AGENT_STATES, status.state);
  add('netfold_agent_shaped', status.shaped ? 1 : 0);
  add('netfold_agent_problems', status.degraded.length + status.conflicts.length);
  add('netfold_agent_corrections_total', status.corrected ?? 0);
  add('netfold_agent_cpu_seconds_total', status.cpuSeconds);
  add('netfold_agent_memory_bytes', status.memoryBytes);
  add('netfold_agent_ticks_total', status.ticks.count);
  add('netfold_agent_tick_seconds_total', millisToSeconds(tickMs));
  add('netfold_endpoints', status.endpoints.length);
  add('netfold_endpoints_known', status.known);
  add('netfold_endpoints_expected', status.expected);
}

function ofTraffic({ status, graph, traffic }: Known, add: Add): void {
  const limited = status.flows.filter(({ limitedBy }) => limitedBy !== null).length;
  add('netfold_flows', limited, { limit: 'link' });
  add('netfold_flows', status.flows.length - limited, { limit: 'demand' });
  const rate = (name: AgentMetric, rateBps: number, labels: Record<string, string>): void =>
    add(name, toBytesPerSecond(bps(rateBps)), labels);
  for (const { endpoint: number, sentBps, receivedBps, shareBps } of traffic.endpoints) {
    const endpoint = graph.endpoints[number]!;
    rate('netfold_endpoint_sent_bytes_per_second', sentBps, { endpoint });
    rate('netfold_endpoint_received_bytes_per_second', receivedBps, { endpoint });
    rate('netfold_endpoint_share_bytes_per_second', shareBps, { endpoint });
  }
  for (const { link: number, rateBps, flows } of traffic.links) {
    const { name: link, bandwidth } = graph.links[number]!;
    rate('netfold_link_rate_bytes_per_second', rateBps, { link });
    rate('netfold_link_bandwidth_bytes_per_second', bandwidth, { link });
    add('netfold_link_flows', flows, { link });
  }
  add('netfold_series_omitted', traffic.omitted.endpoints, { of: 'endpoints' });
  add('netfold_series_omitted', traffic.omitted.links, { of: 'links' });
}

function ofPackets({ status: { delay, rules }, uncounted, bypassed, probes }: Known, add: Add): void {
  add('netfold_probes_total', probes.sent);
  add('netfold_lost_probes_total', probes.lost);
  add('netfold_probe_seconds_total', millisToSeconds(probes.workMs));
  add('netfold_probe_turns_total', probes.turns);
  add('netfold_probe_turns_behind_total', probes.behind);
  add('netfold_probed_paths', probes.paths);
  add('netfold_delayed_packets_total', delay.packets);
  add('netfold_lost_packets_total', delay.lost);
  add('netfold_held_packets', delay.held);
  // What the kernel does by itself, nobody counts.
  add('netfold_overflowed_packets_total', delay.overflowed);
  add('netfold_undelayed_packets_total', delay.unattended);
  add('netfold_released_packets_total', delay.work?.released);
  add('netfold_late_seconds_total', delay.work && millisToSeconds(Math.max(0, delay.work.lateMs)));
  add('netfold_late_max_seconds', millisToSeconds(delay.latestMs));
  add(
    'netfold_ruled_packets_total',
    rules?.reduce((sum, { applied }) => sum + applied, 0),
  );
  add('netfold_bypassed_packets_total', bypassed);
  add('netfold_uncounted_packets_total', uncounted);
}

function ofTimeline({ status, commands }: Known, add: Add): void {
  const { events, nowMs, epoch, faults } = status;
  if (nowMs !== null) add('netfold_experiment_time_seconds', millisToSeconds(nowMs));
  add('netfold_experiment_epoch', epoch);
  add('netfold_experiment_faults', faults.length);
  add('netfold_events_total', events.count);
  add('netfold_event_late_mean_seconds', millisToSeconds(events.meanMs));
  add('netfold_event_late_p99_seconds', millisToSeconds(events.p99Ms));
  add('netfold_event_late_max_seconds', millisToSeconds(events.mostMs));
  for (const state of COMMAND_STATES)
    add('netfold_commands', commands.filter(({ status }) => status === state).length, { state });
}

function ofMesh({ hosts, mesh, clock, underlay }: AgentStatus, add: Add): void {
  add('netfold_mesh_hosts', hosts.length);
  add('netfold_mesh_unreachable', mesh.unreachable.length);
  add('netfold_mesh_sent_messages_total', mesh.messagesSent);
  add('netfold_mesh_sent_bytes_total', mesh.bytesSent);
  add('netfold_mesh_received_messages_total', mesh.messagesReceived);
  add('netfold_mesh_announcements_total', mesh.flowAnnouncements);
  for (const [code, count] of Object.entries(mesh.rejected))
    add('netfold_mesh_rejected_messages_total', count, { code });
  const trips = clock.peers.flatMap(({ rttMs }) => rttMs ?? []);
  if (trips.length > 0) add('netfold_mesh_round_trip_max_seconds', millisToSeconds(Math.max(...trips)));
  if (clock.offsetMs !== null) add('netfold_clock_offset_seconds', millisToSeconds(clock.offsetMs));
  if (clock.errorMs !== null) add('netfold_clock_error_seconds', millisToSeconds(clock.errorMs));
  add('netfold_underlay_slow_paths', underlay.tooSlow.count);
}

function ofVerdict({ verdict, now, causes }: AgentVerdict, add: Add): void {
  oneOf(add, 'netfold_verdict', VERDICTS, verdict);
  oneOf(add, 'netfold_verdict_now', VERDICTS, now);
  for (const [code, ofCode] of Map.groupBy(causes, (cause) => cause.code))
    add('netfold_verdict_causes', ofCode.filter(({ until }) => until === null).length, { code });
}
