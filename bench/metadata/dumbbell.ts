/**
 * Steady TCP on a dumbbell of four hosts: what the agents send to each other, and the traffic that they report on.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { FABRIC_INTERFACE } from '../../controller/platform/lab/lab-plan.ts';
import type { AgentStatus } from '../../proto/status.ts';
import { bitsPerSecond, millisToSeconds, secondsToMillis } from '../../proto/units.ts';
import { serviceOf } from '../../topology/model/names.ts';
import type { Lab } from '../lab.ts';
import { sum } from '../measure/statistics.ts';
import { TcpStreams } from '../measure/traffic/tcp-streams.ts';
import { keysOf, TrafficCounters } from '../measure/traffic/traffic-counters.ts';
import type { PathFacts } from './models.ts';
import { type Reading, recordOf, type TrafficRecord } from './record.ts';

export const HOSTS = 4;
/** The hosts' own links are no bottleneck. */
const ACCESS_FACTOR = 4;
const WINDOW_MS = 50;

/** `clients` clients that send to the same number of servers, over one link that gives `flowBps` to each. */
export interface Dumbbell {
  readonly clients: number;
  readonly flowBps: number;
}

export function dumbbellText({ clients, flowBps }: Dumbbell): string {
  const accessBps = ACCESS_FACTOR * flowBps;
  return `services: { client: { replicas: ${clients} }, server: { replicas: ${clients} } }
bridges: [s1, s2]
links:
  - { from: client, to: s1, latency: 5ms, bandwidth: ${accessBps}bps }
  - { from: s1, to: s2, latency: 10ms, bandwidth: ${clients * flowBps}bps }
  - { from: server, to: s2, latency: 5ms, bandwidth: ${accessBps}bps }
`;
}

/** Of every path between a client and its server. */
export function dumbbellPath({ clients, flowBps }: Dumbbell): PathFacts {
  return { bandwidthBps: Math.min(ACCESS_FACTOR, clients) * flowBps, links: 3 };
}

export interface Timing {
  /** From the start of the last flow until all is steady, and no host counts as new. */
  readonly settleSeconds: number;
  readonly seconds: number;
}

/** Over the steady seconds. */
export interface DumbbellRun {
  readonly dumbbell: Dumbbell;
  readonly seconds: number;
  /** Frames that the agents sent to each other, all together. */
  readonly wirePackets: number;
  /** Their bytes, for each sending agent. */
  readonly wireBytes: readonly number[];
  /** Sums over the agents, by their own counters: without what libp2p adds, and without copies. */
  readonly messages: number;
  readonly messageBytes: number;
  readonly flowAnnouncements: number;
  /** What the clients sent, all together. */
  readonly trafficBps: number;
  readonly traffic: TrafficRecord;
}

export async function runDumbbell(dumbbell: Dumbbell, timing: Timing, lab: Lab): Promise<DumbbellRun> {
  const { experiment, place } = lab;
  const { hosts, endpoints } = experiment.plan;
  const numbers = Array.from({ length: dumbbell.clients }, (_, index) => index);
  const flows = numbers.map((index) => ({ from: place(`client.${index}`), to: place(`server.${index}`) }));
  const streams = new TcpStreams();
  const wire = new TrafficCounters(
    hosts.map(({ namespace }) => ({ namespace, ifindex: FABRIC_INTERFACE.index })),
  );
  const sent = new TrafficCounters(
    endpoints.map(({ namespace, interface: { index } }) => ({ namespace, ifindex: index })),
  );
  try {
    await experiment.run();
    await streams.start(flows);
    await sleep(secondsToMillis(timing.settleSeconds));
    const before = { mesh: meshTraffic(lab, wire), statuses: await experiment.statuses() };
    const readings = await readEvery(sent, keysOf(endpoints), timing.seconds);
    const after = { mesh: meshTraffic(lab, wire), statuses: await experiment.statuses() };
    streams.check();
    const names = endpoints.map(({ name }) => name);
    return { dumbbell, ...difference(before, after), ...trafficOf(recordOf(names, readings)) };
  } finally {
    streams.stop();
    wire.close();
    sent.close();
  }
}

interface Counters {
  readonly mesh: ReturnType<typeof meshTraffic>;
  readonly statuses: readonly AgentStatus[];
}

function difference(before: Counters, after: Counters) {
  const grown = (of: (status: AgentStatus['mesh']) => number): number =>
    sum(after.statuses.map(({ mesh }) => of(mesh))) - sum(before.statuses.map(({ mesh }) => of(mesh)));
  return {
    seconds: millisToSeconds(after.mesh.atMs - before.mesh.atMs),
    wirePackets: after.mesh.packets - before.mesh.packets,
    wireBytes: after.mesh.bytes.map((bytes, index) => bytes - before.mesh.bytes[index]!),
    messages: grown(({ messagesSent }) => messagesSent),
    messageBytes: grown(({ bytesSent }) => bytesSent),
    flowAnnouncements: grown(({ flowAnnouncements }) => flowAnnouncements),
  };
}

function trafficOf(traffic: TrafficRecord): Pick<DumbbellRun, 'traffic' | 'trafficBps'> {
  const bytes = traffic.pairs
    .filter(({ from }) => serviceOf(from) === 'client')
    .flatMap((pair) => pair.bytes);
  return { traffic, trafficBps: bitsPerSecond(sum(bytes), sum(traffic.windowsMs)) };
}

/** Agents use their hosts' own addresses, which no endpoint has. */
function meshTraffic({ experiment: { plan } }: Lab, wire: TrafficCounters) {
  const hostOf = keysOf(plan.hosts.map(({ name, address }) => ({ name, addresses: [address] })));
  const atMs = performance.now();
  const pairs = wire
    .read()
    .filter(({ source, destination }) => hostOf.has(source) && hostOf.has(destination));
  const bytesOf = (host: string): number =>
    sum(pairs.filter(({ source }) => hostOf.get(source) === host).map(({ bytes }) => bytes));
  return {
    atMs,
    packets: sum(pairs.map(({ packets }) => packets)),
    bytes: plan.hosts.map(({ name }) => bytesOf(name)),
  };
}

async function readEvery(
  sent: TrafficCounters,
  nameOf: ReadonlyMap<string, string>,
  seconds: number,
): Promise<Reading[]> {
  const readings: Reading[] = [];
  const began = performance.now();
  for (let next = began; next <= began + secondsToMillis(seconds); next += WINDOW_MS) {
    await sleep(Math.max(0, next - performance.now()));
    const atMs = performance.now();
    const counts = sent.read().flatMap(({ source, destination, bytes }) => {
      const [from, to] = [nameOf.get(source), nameOf.get(destination)];
      return from === undefined || to === undefined ? [] : [{ from, to, bytes }];
    });
    readings.push({ atMs, counts });
  }
  return readings;
}
