/** The paths that carry traffic now: what TCP has measured there, and proof of their rules. */
import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import { timeAtLinks } from '../../proto/impairment.ts';
import { micros, toMillis } from '../../proto/units.ts';
import type { AgentProofs, PathMeasurement, PathProof } from '../../proto/view.ts';
import type { Path } from '../../topology/model/model.ts';
import type { Epoch } from '../epoch/epoch.ts';
import type { Symptom } from './causes.ts';
import type { Probes } from './probes.ts';
import type { Target } from './probing.ts';
import { type PathLook, Proofs, Workings } from './proofs.ts';
import { longestOf, type Measured, type RoundTrip, type Seen, TcpPaths } from './tcp-paths.ts';

/** So many endpoints' connections are listed in a look: 0.6 ms each on a crowded machine, 2 ms with 200 connections. */
const ENDPOINTS_A_LOOK = 4;
/** Paths of which more than is told of in one answer. */
const MOST_PATHS = 2000;
/** A flow that uses more of its path than this may have a queue. */
const QUIET_PART = 0.5;
/** Of probes where no TCP is, which may meet one burst after the other, more than this. */
const PROBED_QUIET_PART = 0.05;
/** A connection's shortest round trip may be that of a time in which its flow had a queue. */
const BUSY_MS = 5000;
/** Where TCP says that the path may be too long, probes look after it for so long. */
const SUSPECTED_MS = 10_000;
/** A flow may have ended because something leads it past netfold: its path is probed for so long afterwards. */
const AFTER_MS = 3000;
const FULL_FRAME_BYTES = 1514;
/** Greater than the number of endpoints can be (topology/model/limits.ts). */
const KEY_FACTOR = 2 ** 16;
/** What TCP has measured of a pair is told for so long. */
const SHOWN_MS = 60_000;

export interface Flowing {
  readonly source: number;
  readonly destination: number;
  readonly rateBps: number;
  readonly greedy: boolean;
  /** Now, and with enough to be a flow. */
  readonly active: boolean;
}

/** A connection, with the number of its other end; -1: it is no endpoint. */
export interface Connection extends Measured {
  readonly peer: number;
}

export interface Traffic {
  readonly epoch: () => Epoch;
  /** Pairs that have sent lately from here, and flows of other hosts. */
  readonly localFlows: () => Iterable<Flowing>;
  readonly forEachRemoteFlow: (
    tell: (source: number, destination: number, rateBps: number, greedy: boolean) => void,
  ) => void;
  /** Of an endpoint of this host. Absent: not known. */
  readonly connections: ((endpoint: LocalEndpoint) => readonly Connection[]) | undefined;
  /** An IPv4 address of any endpoint; `undefined`: it has none, or is not known. */
  readonly addressOf: (endpoint: number) => string | undefined;
  /** Between an endpoint and this host, µs. */
  readonly realMicros: (endpoint: number) => number;
}

export class TrafficWatch {
  readonly proofs = new Proofs();
  readonly #ports: Traffic;
  readonly #tcp = new TcpPaths();
  readonly #workings = new Workings();
  #seenEpoch: Epoch | undefined;
  #turn = 0;
  #since: ReadonlyMap<number, number> = new Map();
  readonly #seen = new Map<number, Seen>();
  /** Endpoint → what its connections said when it was looked at last. */
  readonly #said = new Map<number, readonly Symptom[]>();
  /** Pair → when its flow may have had a queue last. */
  readonly #busyAt = new Map<number, number>();
  /** Pair → until when its path is probed, since TCP says that it may be too long. */
  readonly #suspected = new Map<number, number>();
  /** Pair → when its flow was active last, of those that probes measure. */
  readonly #activeAt = new Map<number, number>();

  readonly #probes: Probes | undefined;

  /** Without probes, paths are measured by TCP alone. */
  constructor(ports: Traffic, probes?: Probes) {
    this.#ports = ports;
    this.#probes = probes;
  }

  /** The judgement begins. */
  begin(now: number): void {
    this.#tcp.changed(now);
    this.#suspected.clear();
    this.#activeAt.clear();
  }

  /** `slackMs`: what this machine adds to a round trip now. */
  look(now: number, local: readonly LocalEndpoint[], slackMs = 0): Symptom[] {
    const epoch = this.#ports.epoch();
    if (this.#seenEpoch !== epoch) this.#tcp.changed(now);
    this.#seenEpoch = epoch;
    this.#since = this.proofs.setPaths(this.#paths(epoch), now);
    for (const [key, { at }] of this.#seen) if (now - at > SHOWN_MS) this.#seen.delete(key);
    // First TCP: what it says is looked after by probes at once.
    const said = this.#askTcp(now, local, epoch, slackMs);
    const probed = this.#probes?.look(now, local, (paths) => {
      for (const [key, until] of this.#suspected)
        if (until <= now && !paths.isLong(key)) this.#suspected.delete(key);
      return paths.look(now, this.#targets(now, epoch, local, slackMs));
    });
    const symptoms = [...(probed ?? []), ...said];
    this.#workings.look(this.#looks(epoch, symptoms));
    return symptoms;
  }

  #looks(epoch: Epoch, symptoms: readonly Symptom[]): Map<number, PathLook> {
    const named = new Set(symptoms.map(({ path }) => path));
    const { endpoints } = epoch.graph;
    const looks = Array.from(this.#since, ([key, setSince]): [number, PathLook] => {
      const [source, destination] = endsOf(key);
      const answered = this.#probes?.paths.answeredAt(key);
      const isOdd =
        named.has(`${endpoints[source]} > ${endpoints[destination]}`) ||
        this.#suspected.has(key) ||
        (this.#probes?.paths.isOdd(key) ?? false);
      return [key, { setSince, measuredAt: answered ?? this.#seen.get(key)?.at, isOdd }];
    });
    return new Map(looks);
  }

  #askTcp(now: number, local: readonly LocalEndpoint[], epoch: Epoch, slackMs: number): Symptom[] {
    const { connections } = this.#ports;
    if (!connections) return [];
    for (const key of this.#busy(epoch)) this.#busyAt.set(key, now);
    for (const [key, at] of this.#busyAt) if (now - at > BUSY_MS) this.#busyAt.delete(key);
    for (const endpoint of this.#inTurn(local))
      this.#said.set(endpoint.number, this.#judge(now, endpoint, listed(connections, endpoint), slackMs));
    const here = new Set(local.map(({ number }) => number));
    for (const number of this.#said.keys()) if (!here.has(number)) this.#said.delete(number);
    return [...this.#said.values()].flat();
  }

  /** Paths with a flow that no TCP has measured lately, or a moment ago, or that may be too long by what TCP has measured. */
  #targets(now: number, epoch: Epoch, local: readonly LocalEndpoint[], slackMs: number): Target[] {
    const [calm, quiet] = [this.#busy(epoch, PROBED_QUIET_PART), this.#busy(epoch)];
    const here = new Map(local.map((endpoint) => [endpoint.number, endpoint]));
    for (const { source, destination, active } of this.#ports.localFlows()) {
      const key = keyOf(source, destination);
      if (active && !this.#seen.has(key)) this.#activeAt.set(key, now);
    }
    const targets: Target[] = [];
    const add = (key: number, of: Pick<Target, 'isBesideTcp' | 'isOver'>): void => {
      const [source, destination] = endsOf(key);
      const from = here.get(source);
      if (!from || targets.length >= MOST_PATHS) return;
      const target = this.#targetOf(epoch, from, destination, of.isBesideTcp ? quiet : calm);
      if (target) targets.push({ ...target, key, slackMs, ...of });
    };
    for (const key of this.#suspected.keys()) add(key, { isBesideTcp: true });
    for (const [key, at] of this.#activeAt) {
      if (now - at > AFTER_MS || this.#seen.has(key)) this.#activeAt.delete(key);
      else if (!this.#suspected.has(key)) add(key, { isOver: at < now });
    }
    return targets;
  }

  #targetOf(
    epoch: Epoch,
    from: LocalEndpoint,
    destination: number,
    busy: Has,
  ): Omit<Target, 'key'> | undefined {
    const [there, back] = [epoch.path(from.number, destination), epoch.path(destination, from.number)];
    const address = this.#ports.addressOf(destination);
    const whole = roundTrip(epoch, from.number, destination, busy);
    if (!there || !back || !whole || address === undefined || !isPlain(there) || !isPlain(back))
      return undefined;
    const isBoth = this.#probes!.measuresBack;
    const real = this.#ports.realMicros(destination);
    const latency = Math.max(there.latency, real) + (isBoth ? Math.max(back.latency, real) : real);
    const { endpoints } = epoch.graph;
    return {
      ...{ from, address, ways: [there, back] },
      name: `${endpoints[from.number]} > ${endpoints[destination]}`,
      trip: {
        ...whole,
        latencyMs: toMillis(micros(latency)),
        ...(!isBoth && { jitterMs: toMillis(there.jitter) }),
      },
      waitMs: toMillis(micros(2 * real)) + longestOf(whole),
      loss: 1 - (1 - there.loss) * (1 - back.loss),
      bandwidthBps: Math.min(there.bandwidth, back.bandwidth),
    };
  }

  /** Half of them of those that send, half of all: what goes around netfold is not seen to be sent. */
  #inTurn(local: readonly LocalEndpoint[]): Set<LocalEndpoint> {
    const sending = new Set(Array.from(this.#ports.localFlows(), ({ source }) => source));
    const active = local.filter(({ number }) => sending.has(number));
    const half = ENDPOINTS_A_LOOK / 2;
    const start = this.#turn;
    this.#turn += half;
    const some = (all: readonly LocalEndpoint[]): LocalEndpoint[] =>
      Array.from({ length: Math.min(half, all.length) }, (_, at) => all[(start + at) % all.length]!);
    return new Set([...some(active), ...some(local)]);
  }

  #judge(now: number, from: LocalEndpoint, connections: readonly Connection[], slackMs: number): Symptom[] {
    const { number: source } = from;
    this.#tcp.begin(source, now);
    const epoch = this.#ports.epoch();
    const symptoms: Symptom[] = [];
    for (const [peer, own] of Map.groupBy(connections, (one) => one.peer)) {
      const trip = peer < 0 ? undefined : roundTrip(epoch, source, peer, this.#busyAt);
      if (!trip) continue;
      const { endpoints } = epoch.graph;
      const path = `${endpoints[source]} > ${endpoints[peer]}`;
      const judged = this.#tcp.judge(now, path, own, trip, slackMs);
      const key = keyOf(source, peer);
      if (judged.seen) this.#seen.set(key, judged.seen);
      const isProbed =
        judged.isSuspicious && this.#probes && this.#targetOf(epoch, from, peer, this.#busyAt) !== undefined;
      if (isProbed) this.#suspected.set(key, now + SUSPECTED_MS);
      // Probes find out within a second whether it is too long, and TCP may never have met an empty queue.
      symptoms.push(...judged.symptoms.filter(({ code }) => code !== 'RTT_LONG' || !isProbed));
    }
    return symptoms;
  }

  /** Pairs whose flow may have filled its queue. */
  #busy(epoch: Epoch, part = QUIET_PART): Set<number> {
    const busy = new Set<number>();
    const note = (source: number, destination: number, rateBps: number, greedy: boolean): void => {
      if (greedy || rateBps > part * epoch.bandwidth(source, destination))
        busy.add(keyOf(source, destination));
    };
    for (const { source, destination, rateBps, greedy } of this.#ports.localFlows())
      note(source, destination, rateBps, greedy);
    this.#ports.forEachRemoteFlow(note);
    return busy;
  }

  #paths(epoch: Epoch): Map<number, Path> {
    const paths = new Map<number, Path>();
    for (const { source, destination } of this.#ports.localFlows()) {
      if (paths.size >= MOST_PATHS) break;
      const path = epoch.path(source, destination);
      if (path) paths.set(keyOf(source, destination), path);
    }
    return paths;
  }

  /** `names`: of the endpoints of this host. `date`: of an instant. */
  tell(host: string, names: readonly string[], date: (at: number | undefined) => string | null): AgentProofs {
    const endpoints = names.map((endpoint) => {
      const proof = this.proofs.ofEndpoint(endpoint);
      const dates = { inForceSince: date(proof?.inForceSince), readBackAt: date(proof?.readBackAt) };
      return { endpoint, host, ...dates };
    });
    return {
      endpoints,
      paths: Array.from(this.#since, ([key, since]) => this.#tellPath(key, date(since)!, date)),
    };
  }

  /** What TCP has measured after an instant, on paths that carry traffic. */
  measured(after: number): PathMeasurement[] {
    const epoch = this.#ports.epoch();
    const { endpoints } = epoch.graph;
    const measured: PathMeasurement[] = [];
    for (const [key, { at, measuredMs, retransmitted }] of this.#seen) {
      if (at <= after || !this.#since.has(key)) continue;
      const [source, destination] = endsOf(key);
      const roundTripMs = roundTripOf(epoch, source, destination);
      if (roundTripMs === null) continue;
      const [from, to] = [endpoints[source]!, endpoints[destination]!];
      measured.push({ from, to, roundTripMs, measuredMs, retransmitted });
    }
    return measured;
  }

  #tellPath(key: number, setSince: string, date: (at: number | undefined) => string | null): PathProof {
    const [source, destination] = endsOf(key);
    const epoch = this.#ports.epoch();
    const names = epoch.graph.endpoints;
    const seen = this.#seen.get(key);
    const probes = this.#probes?.paths.ofPath(key);
    const works = this.#workings.of(key);
    return {
      from: names[source]!,
      to: names[destination]!,
      setSince,
      roundTripMs: roundTripOf(epoch, source, destination),
      measuredMs: seen?.measuredMs ?? null,
      retransmitted: seen?.retransmitted ?? null,
      measuredAt: date(seen?.at),
      ...{ worksSince: date(works?.since), workedAt: date(works?.at) },
      ...(probes && { probes }),
    };
  }
}

/** What a single packet meets there follows from latency, jitter and loss alone; of others, few probes say nothing. */
function isPlain({ lossModel, corrupt, reorder, slots, trace, quantiles, rules }: Path): boolean {
  return [lossModel, corrupt, reorder, slots, trace, quantiles, rules].every(
    (one) => one === undefined || one === 0,
  );
}

/** An endpoint that is gone has none; it is told of elsewhere. */
function listed(
  connections: (endpoint: LocalEndpoint) => readonly Connection[],
  endpoint: LocalEndpoint,
): readonly Connection[] {
  try {
    return connections(endpoint);
  } catch {
    return [];
  }
}

/** As the topology says; null: there is no way back. */
function roundTripOf(epoch: Epoch, source: number, destination: number): number | null {
  const [there, back] = [epoch.path(source, destination), epoch.path(destination, source)];
  return there && back ? toMillis(micros(there.latency + back.latency)) : null;
}

/** Which of several paths a connection or a probe takes is not known here. */
const hasSeveral = ({ lanes, count }: Epoch, source: number, peer: number): boolean =>
  lanes.areSeveral && (count(source, peer) > 1 || count(peer, source) > 1);

/** Pairs, by their keys. */
type Has = Pick<ReadonlySet<number>, 'has'>;

const keyOf = (source: number, destination: number): number => source * KEY_FACTOR + destination;
const endsOf = (key: number): [source: number, destination: number] => [
  Math.floor(key / KEY_FACTOR),
  key % KEY_FACTOR,
];

/** `undefined` without a way there and back, or from an endpoint to itself. */
function roundTrip(epoch: Epoch, source: number, peer: number, busy: Has): RoundTrip | undefined {
  const [there, back] = [epoch.path(source, peer), epoch.path(peer, source)];
  if (!there || !back || hasSeveral(epoch, source, peer)) return undefined;
  const transmission = (path: Path): number => timeAtLinks(FULL_FRAME_BYTES, path);
  return {
    latencyMs: toMillis(micros(there.latency + back.latency)),
    // Deviations of both directions add at the worst.
    jitterMs: toMillis(micros(there.jitter + back.jitter)),
    transmissionMs: toMillis(micros(transmission(there) + transmission(back))),
    isQuiet: !busy.has(keyOf(source, peer)) && !busy.has(keyOf(peer, source)),
  };
}
