/**
 * The metrics for Prometheus: their names with their units, what they mean, and their labels beside `experiment` and `host`. The
 * one table; docs/metrics.md has it for users, and a test compares the two. Rates are bytes of frames, as Prometheus wants it.
 */

export interface Metric {
  /** A counter only grows, until its agent or the judgement begins anew. */
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly labels?: readonly string[];
}

const gauge = (help: string, ...labels: string[]): Metric => ({ type: 'gauge', help, labels });
const counter = (help: string, ...labels: string[]): Metric => ({ type: 'counter', help, labels });

/** Of an agent; `experiment` and `host` are labels of each. */
const ofAgents = {
  netfold_agent_state: gauge('1 for the state that the agent is in, 0 for the others', 'state'),
  netfold_agent_shaped: gauge('1: everything is in force, and was read back'),
  netfold_agent_problems: gauge('how many things could not be done, as netfold status names them'),
  netfold_agent_corrections_total: counter('changes by other programs that were put back'),
  netfold_agent_cpu_seconds_total: counter('processor time of the agent'),
  netfold_agent_memory_bytes: gauge('resident memory of the agent'),
  netfold_agent_ticks_total: counter('ticks'),
  netfold_agent_tick_seconds_total: counter('time that ticks took'),
  netfold_experiment_time_seconds: gauge('since the start of the experiment; absent before it'),
  netfold_experiment_epoch: gauge('how many versions of the topology there were before this one'),
  netfold_experiment_faults: gauge('what events and commands have changed, and is in force now'),
  netfold_endpoints: gauge('endpoints of this host'),
  netfold_endpoints_known: gauge('endpoints of all hosts whose addresses are known here'),
  netfold_endpoints_expected: gauge('endpoints of the topology'),
  netfold_flows: gauge('flows from this host, by what limits them: demand or link', 'limit'),
  netfold_endpoint_sent_bytes_per_second: gauge('rate of what an endpoint of this host sends', 'endpoint'),
  netfold_endpoint_received_bytes_per_second: gauge(
    'rate of what is sent to an endpoint of this host, as announced by other hosts',
    'endpoint',
  ),
  netfold_endpoint_share_bytes_per_second: gauge(
    'what the flows of an endpoint of this host may use now; flows without a limit are left out',
    'endpoint',
  ),
  netfold_link_rate_bytes_per_second: gauge('rate of all flows that cross a link, as announced', 'link'),
  netfold_link_bandwidth_bytes_per_second: gauge('bandwidth of a link; +Inf: it has no limit', 'link'),
  netfold_link_flows: gauge('flows that cross a link', 'link'),
  netfold_series_omitted: gauge('endpoints or links that are in no series, since there are too many', 'of'),
  netfold_delayed_packets_total: counter('packets that were delayed'),
  netfold_lost_packets_total: counter('packets that were lost as the topology says'),
  netfold_held_packets: gauge('packets that are on their way now'),
  netfold_overflowed_packets_total: counter(
    'packets that were dropped since the delay queue of their endpoint was full',
  ),
  netfold_undelayed_packets_total: counter('packets that passed neither delayed nor lost'),
  netfold_ruled_packets_total: counter('packets that rules of links dropped, answered, delayed or limited'),
  netfold_bypassed_packets_total: counter('frames that had passed the queue by, and were dropped'),
  netfold_uncounted_packets_total: counter('packets that were not counted'),
  netfold_released_packets_total: counter('packets that left the delay line'),
  netfold_late_seconds_total: counter('how late packets left the delay line, all together'),
  netfold_probes_total: counter(
    'probes of paths and hosts that netfold has sent by itself, of 66 bytes each',
  ),
  netfold_lost_probes_total: counter('of these, those that did not come back'),
  netfold_probe_seconds_total: counter(
    'processor time that the agent took to choose what to probe, to send and to read answers',
  ),
  netfold_probe_turns_total: counter('how often it has looked after them'),
  netfold_probe_turns_behind_total: counter('of these, those in which paths had to wait'),
  netfold_probed_paths: gauge('paths from this host that are probed now'),
  netfold_late_max_seconds: gauge('the latest packet so far'),
  netfold_events_total: counter('instants of events that came into force'),
  netfold_event_late_mean_seconds: gauge('from the instant of an event until all of it was in force'),
  netfold_event_late_p99_seconds: gauge('the same, of 99 in 100 events at most'),
  netfold_event_late_max_seconds: gauge('the same, of the latest so far'),
  netfold_commands: gauge('commands of live control, by state', 'state'),
  netfold_mesh_hosts: gauge('hosts that this agent hears of, itself included'),
  netfold_mesh_unreachable: gauge('addresses of agents that are dialled without success'),
  netfold_mesh_sent_messages_total: counter('messages to other agents'),
  netfold_mesh_sent_bytes_total: counter('bytes of these messages'),
  netfold_mesh_received_messages_total: counter('messages from other agents'),
  netfold_mesh_announcements_total: counter('flows that were announced'),
  netfold_mesh_rejected_messages_total: counter('messages that were refused, by code', 'code'),
  netfold_mesh_round_trip_max_seconds: gauge('the longest round trip to another agent'),
  netfold_clock_offset_seconds: gauge("how far the reference's clock is ahead of this host's"),
  netfold_clock_error_seconds: gauge('how far the true offset may be away'),
  netfold_underlay_slow_paths: gauge('paths from this host that the real network is too slow for'),
  netfold_verdict: gauge('1 for the state of the whole run so far, 0 for the others', 'state'),
  netfold_verdict_now: gauge('1 for the state of what goes on, 0 for the others', 'state'),
  netfold_verdict_causes: gauge('causes that go on, by code; 0: seen in this run', 'code'),
} as const satisfies Readonly<Record<string, Metric>>;

/** Of the server of the API, beside those of all agents of its machine. */
const ofServers = {
  netfold_info: { type: 'gauge', help: '1; the version of netfold', labels: ['version'] },
  netfold_experiments: gauge('experiments of this machine'),
  netfold_agent_up: gauge('1: the agent has answered; 0: it is stopped or dead'),
  netfold_api_streams: gauge('WebSockets that are open'),
  process_cpu_seconds_total: counter('processor time of the server'),
  process_resident_memory_bytes: gauge('resident memory of the server'),
} as const satisfies Readonly<Record<string, Metric>>;

export type AgentMetric = keyof typeof ofAgents;
export type MetricName = AgentMetric | keyof typeof ofServers;

export const METRICS: Readonly<Record<MetricName, Metric>> = { ...ofAgents, ...ofServers };

/** A value of a metric now (`GET /samples` on an agent's socket). */
export interface Sample<Name extends MetricName = MetricName> {
  readonly name: Name;
  readonly labels: Readonly<Record<string, string>>;
  /** `'+Inf'`: without a limit, which JSON has no number for. */
  readonly value: number | '+Inf';
}
