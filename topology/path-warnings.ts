/** Warnings about paths: valid, but other than it looks. Each is one line with a count and an example, however large the file. */
import { amountIn, bytesOf, formatBps, formatMicros, formatRate, megabytes, micros } from '../proto/units.ts';
import { count, grouped } from '../proto/words.ts';
import { Folding } from './fold/fold.ts';
import type { Expansion } from './fold/graph.ts';
import type { Findings } from './model/diagnostics.ts';
import type { Graph, Path, Topology } from './model/model.ts';
import { ReachedRates } from './unreached-rates.ts';
import { unusedLinks } from './unused-links.ts';

/** The largest buffers that TCP gives to a socket by itself, in bytes: the last numbers of `net.ipv4.tcp_wmem` and `tcp_rmem`. */
export interface TcpBuffers {
  readonly sendBytes: number;
  readonly receiveBytes: number;
}

export interface PathAdvice {
  /** Of this machine; absent: not judged, since it runs elsewhere or they can't be read. */
  readonly buffers?: TcpBuffers | undefined;
}

/**
 * Of larger topologies, a part of the pairs is looked at: so many sources, and destinations for each. Each needs a tree of shortest
 * paths; all of them together look at so many edges.
 */
const MAX_SOURCES = 100;
const MAX_DESTINATIONS = 30;
const MAX_EDGES_SEEN = 4_000_000;
/** But not fewer. */
const LEAST_SEEN = 5;

/**
 * What an endpoint's delay line holds of what is under way to it: the length of a queue of the kernel, which can't be made
 * longer: measured with Linux 6.18, where agent/kernel/netlink/nfqueue.ts asks for more. In full frames of Ethernet.
 */
const QUEUE_PACKETS = 65_536;
const FRAME_BYTES = 1514;

/** Adds the warnings about the paths at the start of a topology that has no errors. */
export function warnOfPaths(
  topology: Topology,
  expansion: Expansion,
  findings: Findings,
  { buffers }: PathAdvice,
): void {
  const folding = new Folding(expansion.graph);
  const jittery = new Example();
  const long = new Example();
  const full = new Example();
  const rates = new ReachedRates(expansion.graph);
  for (const path of samplePaths(folding)) {
    if (path.jitter * deviations(path) > path.latency + GRAIN)
      jittery.add(path, path.jitter / (path.latency + 1));
    rates.add(path);
    const back = folding.path(path.to, path.from);
    const bytes = back && buffers ? flightBytes(path, back) : 0;
    if (buffers && exceeds(bytes, buffers)) long.add(path, bytes);
    const packets = packetsUnderWay(path);
    if (packets > QUEUE_PACKETS) full.add(path, packets);
  }
  warnOfJitter(jittery, expansion, topology, findings);
  if (buffers) warnOfBuffers(long, expansion, topology, findings, buffers);
  warnOfQueue(full, expansion, topology, findings);
  warnOfUnused(expansion, topology, findings);
  warnOfRates(rates, expansion, topology, findings);
}

/** The worst of the paths that a warning is about. */
class Example {
  path: Path | undefined;
  count = 0;
  #badness = -1;

  add(path: Path, badness: number): void {
    this.count++;
    if (badness <= this.#badness) return;
    this.#badness = badness;
    this.path = path;
  }

  get worst(): number {
    return this.#badness;
  }
}

/** How many sources are looked at, and how many destinations for each. */
function sampleOf({ endpoints, edges }: Graph): { sources: number; destinations: number } {
  const { length } = endpoints;
  const trees = Math.max(LEAST_SEEN, Math.floor(MAX_EDGES_SEEN / (2 * Math.max(1, edges.length))));
  const destinations = length > MAX_SOURCES ? MAX_DESTINATIONS : MAX_SOURCES;
  return {
    sources: Math.min(length, trees, MAX_SOURCES),
    destinations: Math.min(length, trees, destinations),
  };
}

function* samplePaths(folding: Folding): Generator<Path> {
  const { length } = folding.graph.endpoints;
  const { sources, destinations } = sampleOf(folding.graph);
  for (const from of spread(length, sources)) {
    for (const to of spread(length, destinations)) {
      const path = folding.path(from, to);
      if (path) yield path;
    }
  }
}

/** At most `most` of the numbers below `length`, in equal distances. */
function spread(length: number, most: number): number[] {
  const size = Math.min(length, most);
  return Array.from({ length: size }, (_, index) => Math.floor((index * length) / size));
}

/** A microsecond of rounding is no reason to warn. */
const GRAIN = 1;
/** How many deviations below the mean delays reach: uniform ones √3; of normal ones, 1 of 700 is more than three below. */
const deviations = ({ distribution }: Path): number => (distribution === 'uniform' ? Math.sqrt(3) : 3);

const nameOf = ({ from, to }: Path, { graph }: Expansion): string =>
  `${graph.endpoints[from]} to ${graph.endpoints[to]}`;
const more = (many: number): string => (many > 1 ? `, and so for ${count(many - 1, 'more path')}` : '');

function warnOfJitter(
  { path, count: many }: Example,
  expansion: Expansion,
  topology: Topology,
  findings: Findings,
): void {
  if (!path) return;
  const { links } = expansion.graph;
  const worst = path.links.toSorted((a, b) => links[b]!.jitter - links[a]!.jitter)[0]!;
  const { pair } = expansion.origins[worst]!;
  findings.warning(
    'JITTER_LARGE',
    topology.links[pair]!.position,
    `links[${pair}].jitter`,
    `${nameOf(path, expansion)} has a jitter of ${formatMicros(path.jitter)} at a latency of ${formatMicros(path.latency)}: no packet arrives before it is sent, so the mean comes out higher and the deviation lower${more(many)}`,
    path.distribution === 'uniform'
      ? 'keep it below 0.57 of the latency'
      : 'keep it below a third of the latency',
  );
}

/** What is on its way between two packets' acknowledgements when a flow has the whole path; 0 without a limit. */
function flightBytes(path: Path, back: Path): number {
  if (!Number.isFinite(path.bandwidth)) return 0;
  return bytesOf(amountIn(micros(path.latency + back.latency), path.bandwidth));
}

/** Half of a receive buffer is the window, the rest is for the kernel's own data (tcp_adv_win_scale of ip-sysctl.rst). */
const exceeds = (bytes: number, { sendBytes, receiveBytes }: TcpBuffers): boolean =>
  bytes > sendBytes || bytes > receiveBytes / 2;

function warnOfBuffers(
  { path, count: many, worst }: Example,
  expansion: Expansion,
  topology: Topology,
  findings: Findings,
  buffers: TcpBuffers,
): void {
  if (!path) return;
  const needed = Math.ceil((2 * worst) / MEBIBYTE) * MEBIBYTE;
  const settings = [
    ...(worst > buffers.sendBytes ? [`net.ipv4.tcp_wmem="4096 16384 ${needed}"`] : []),
    ...(worst > buffers.receiveBytes / 2 ? [`net.ipv4.tcp_rmem="4096 131072 ${needed}"`] : []),
  ];
  const { pair } = expansion.origins[path.links[0]!]!;
  const window = Math.min(buffers.sendBytes, buffers.receiveBytes / 2);
  const reached = formatRate((path.bandwidth * window) / worst);
  findings.warning(
    'BUFFERS_SMALL',
    topology.links[pair]!.position,
    `links[${pair}].bandwidth`,
    `one TCP flow from ${nameOf(path, expansion)} reaches about ${reached} of ${formatBps(path.bandwidth)}: the path holds ${megabytes(worst).toFixed(1)} MB, more than the socket buffers of this machine${more(many)}`,
    `sysctl -w ${settings.join(' ')}, or use several flows`,
  );
}

const MEBIBYTE = 2 ** 20;

/** What is under way, one way, when the path is full. A path without a limit is as fast as the machine: not judged. */
function packetsUnderWay({ latency, bandwidth }: Path): number {
  return Number.isFinite(bandwidth) ? bytesOf(amountIn(latency, bandwidth)) / FRAME_BYTES : 0;
}

function warnOfQueue(
  { path, count: many, worst }: Example,
  expansion: Expansion,
  topology: Topology,
  findings: Findings,
): void {
  if (!path) return;
  const { pair } = expansion.origins[path.links[0]!]!;
  const fitting = formatRate((path.bandwidth * QUEUE_PACKETS) / worst);
  findings.warning(
    'QUEUE_SMALL',
    topology.links[pair]!.position,
    `links[${pair}].latency`,
    `${nameOf(path, expansion)} has ${grouped(Math.ceil(worst))} full frames under way at ${formatBps(path.bandwidth)}: where the kernel has no netem, ${grouped(QUEUE_PACKETS)} find room and others are dropped${more(many)}`,
    `keep the rate below ${fitting}, or less with smaller packets, or use a kernel with netem (netfold doctor)`,
  );
}

function warnOfUnused(expansion: Expansion, topology: Topology, findings: Findings): void {
  // With events, a link may be there for the time when another one is away.
  const isSpare = topology.events.some(({ action }) => 'targets' in action || 'groups' in action);
  if (topology.routing !== 'latency' || isSpare || topology.routes?.length) return;
  const [first, ...others] = unusedLinks(expansion.graph);
  if (!first) return;
  const { graph, origins } = expansion;
  const { pair } = origins[first.link]!;
  const { name, latency } = graph.links[first.link]!;
  const rest = others.length > 0 ? `, and so ${count(others.length, 'more link')}` : '';
  findings.warning(
    'LINK_UNUSED',
    topology.links[pair]!.position,
    `links[${pair}]`,
    `no path uses ${name}: it takes ${formatMicros(latency)}, and a detour only ${formatMicros(first.detour)}${rest}`,
    'write routing: hops to keep direct links, or make the others longer',
  );
}

function warnOfRates(
  rates: ReachedRates,
  expansion: Expansion,
  topology: Topology,
  findings: Findings,
): void {
  const { graph, origins } = expansion;
  // Of larger topologies not all paths are looked at; and an event may give links other rates.
  const { sources, destinations } = sampleOf(graph);
  const isKnown = Math.min(sources, destinations) === graph.endpoints.length;
  if (!isKnown || topology.events.some(({ action }) => action.verb === 'set')) return;
  const [first, ...others] = rates.unreached();
  if (!first) return;
  const { pair } = origins[first.link]!;
  const { name, bandwidth } = graph.links[first.link]!;
  const rest = others.length > 0 ? `, and so for ${count(others.length, 'more link')}` : '';
  findings.warning(
    'RATE_UNREACHED',
    topology.links[pair]!.position,
    `links[${pair}].bandwidth`,
    `no traffic comes near the ${formatBps(bandwidth)} of ${name}: all paths through it together have ${formatBps(first.reached)}${rest}`,
    'check the units of both, or leave out the rate that is never reached',
  );
}
