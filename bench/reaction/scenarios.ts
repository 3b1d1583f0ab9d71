/**
 * The events of the two runs of the reaction bench. The kinds are those of figures 5.3 and 5.5 of Amaro's thesis
 * (Kollaps 2.0, IST Lisbon, 2021). Their exact instants are not published, so the timelines are our own.
 */
import { secondsToMillis } from '../../proto/units.ts';

export interface Step {
  readonly at: number;
  /** The name in the figure and the table. */
  readonly label: string;
  /** Lines of the topology file's `events`, without their time. */
  readonly events: readonly string[];
  /**
   * The numbers of the flows whose applications start now. The start of a process doesn't count against the emulator,
   * so the time counts from its first data.
   */
  readonly starts?: readonly number[];
}

export interface Scenario {
  readonly id: string;
  readonly title: string;
  readonly source: string;
  /** The topology file without its events. */
  readonly topology: string;
  /** Names of the endpoints of each flow. */
  readonly flows: readonly { readonly from: string; readonly to: string }[];
  readonly steps: readonly Step[];
  /** When it ends, in seconds like `Step.at`. */
  readonly end: number;
}

const FLOWS = [0, 1, 2].map((replica) => ({ from: `client.${replica}`, to: `server.${replica}` }));
/**
 * Longer than any run. The congestion control is given, because the machine's default varies; where it is not on the machine's list
 * for all, choosing it takes NET_ADMIN.
 */
const CLIENT = 'iperf3 -C cubic -t 600 -c server.$NETFOLD_REPLICA';
/** By then, applications that wait for the start of others are ready. */
const BEGIN = 2;

/** Three flows with round trips of 30, 40 and 50 ms over 60 Mb/s. `pause`: seconds between two events. */
export function dynamicScenario(pause: number): Scenario {
  const step = (index: number, label: string, event: string): Omit<Step, 'starts'> => ({
    at: BEGIN + index * pause,
    label,
    events: [event],
  });
  return {
    id: 'dynamic',
    title: 'joins, latency, bandwidth and a crash',
    source: 'figure 5.3 of Kollaps 2.0 (Amaro, IST Lisbon, 2021)',
    topology: `services:
  client: { replicas: 3, cap_add: [NET_ADMIN], run: "${CLIENT}" }
  server: { replicas: 3, cap_add: [NET_ADMIN], run: "iperf3 -s" }
bridges: [s1, s2]
links:
  - { from: client.0, to: s1, latency: 5ms, bandwidth: 100Mbps }
  - { from: client.1, to: s1, latency: 10ms, bandwidth: 100Mbps }
  - { from: client.2, to: s1, latency: 15ms, bandwidth: 100Mbps }
  - { from: s1, to: s2, latency: 5ms, up: 60Mbps, down: 80Mbps }
  - { from: server, to: s2, latency: 5ms, bandwidth: 100Mbps }
`,
    flows: FLOWS,
    steps: [
      { ...step(0, 'client.0 joins', 'join client.0'), starts: [0] },
      { ...step(1, 'client.1 joins', 'join client.1'), starts: [1] },
      { ...step(2, 'client.2 joins', 'join client.2'), starts: [2] },
      step(3, 'client.0: latency 25 ms', 'set client.0--s1 latency=25ms'),
      step(4, 'client.2: latency 3 ms', 'set client.2--s1 latency=3ms'),
      step(5, 's1 to s2: 90 Mb/s', 'set s1->s2 bandwidth=90Mbps'),
      step(6, 'client.1 crashes', 'crash client.1'),
    ],
    end: BEGIN + 7 * pause,
  };
}

/** Three flows from the start, and links that get worse: as on existing hosts, no instance joins or leaves. */
export function linksScenario(pause: number): Scenario {
  const step = (index: number, label: string, event: string): Step => ({
    at: BEGIN + index * pause,
    label,
    events: [event],
  });
  return {
    id: 'links',
    title: 'links that get worse',
    source: 'figure 5.5 of Kollaps 2.0 (Amaro, IST Lisbon, 2021)',
    topology: `services:
  client: { replicas: 3, cap_add: [NET_ADMIN] }
  server: { replicas: 3, cap_add: [NET_ADMIN], run: "iperf3 -s" }
bridges: [s1, s2]
links:
  - { from: client.0, to: s1, latency: 10ms, bandwidth: 100Mbps }
  - { from: client.1, to: s1, latency: 5ms, bandwidth: 100Mbps }
  - { from: client.2, to: s1, latency: 10ms, bandwidth: 100Mbps }
  - { from: s1, to: s2, latency: 5ms, up: 60Mbps, down: 80Mbps }
  - { from: server, to: s2, latency: 5ms, bandwidth: 100Mbps }
`,
    flows: FLOWS,
    steps: [
      { ...step(0, 'all flows start', `run client "${CLIENT}"`), starts: [0, 1, 2] },
      step(1, 'access of client.0: 10 Mb/s', 'set client.0->s1 bandwidth=10Mbps'),
      step(2, 's1 to s2: 5 Mb/s', 'set s1->s2 bandwidth=5Mbps'),
      step(3, 'link of client.2 removed', 'leave client.2--s1'),
    ],
    end: BEGIN + 4 * pause,
  };
}

/** The topology file with its events. */
export function topologyText({ topology, steps }: Scenario): string {
  const lines = steps.flatMap(({ at, events }) =>
    events.map((event) => `at ${secondsToMillis(at)}ms ${event}`),
  );
  return `${topology}events:\n${lines.map((line) => `  - ${JSON.stringify(line)}\n`).join('')}`;
}
