/** `TcPort` on Linux: tc over netlink, and the maps of the classifier. */
import type { LocalEndpoint } from '../../../proto/bootstrap.ts';
import type { Shape } from '../../enforce/distributions.ts';
import {
  BORROWER_BYTES_PER_SECOND,
  groupMinor,
  type InterfaceState,
  type LeafQueue,
  MOST_FURTHER,
  MOST_FURTHER_MINOR,
  MOST_GSO_SEGMENTS,
  OWN_MAJOR,
  queueMajor,
  type ShapedClass,
} from '../../enforce/interface-state.ts';
import type { TcOp } from '../../enforce/plan.ts';
import type { FailedOp, Party, RuleCounts, TcPort, TcStats } from '../../enforce/ports.ts';
import { programId } from '../../kernel/bpf/libbpf.ts';
import { type Link, readLink } from '../../kernel/netlink/links.ts';
import { NETLINK_ROUTE, NetlinkSocket, type Request, refusal } from '../../kernel/netlink/netlink-socket.ts';
import { setGsoMaxSegments } from '../../kernel/netlink/rtnetlink.ts';
import {
  deleteClass,
  deleteQueue,
  deleteRoot,
  formatHandle,
  type HtbPlace,
  handle,
  setFifo,
  setHtbClass,
  setHtbRoot,
  TC_H_ROOT,
} from '../../kernel/netlink/tc-messages.ts';
import { within } from '../../kernel/netns/namespaces.ts';
import { setClassifier } from '../objects/classifier.ts';
import { OWN_PORT } from '../objects/own-port.ts';
import { pathClasses } from '../tc/class-groups.ts';
import { cutFurther, setFurther, setNetem } from '../tc/netem-messages.ts';
import { listClasses, listClassifiers, listQdiscs } from '../tc/tc-dumps.ts';
import { installFilter, isInstalled, removeOwnFilters } from '../trees/named-filters.ts';
import { type ClassMaps, InterfaceMaps } from './class-maps.ts';
import type { FarEnds } from './far-ends.ts';
import { addCounts } from './rule-map.ts';

/**
 * HTB serves classes of equal priority in turns of this many bytes. netfold's classes don't share a parent's rate, so one
 * frame is enough.
 */
const QUANTUM_BYTES = 1514;
/** Queue for traffic that netfold doesn't shape. */
const DIRECT_QUEUE_PACKETS = 1000;
/** The queue that the kernel gives to a new class. */
const NO_QUEUE: LeafQueue = { kind: 'pfifo', limit: -1 };

type MapOp = Extract<TcOp, { op: 'set-target' | 'delete-target' }>;
type NetlinkOp = Exclude<TcOp, MapOp>;
const isMapOp = (op: TcOp): op is MapOp => op.op === 'set-target' || op.op === 'delete-target';

interface Attached {
  readonly socket: NetlinkSocket;
  readonly maps: InterfaceMaps;
  /** Minor number → distribution of its netem, which the kernel doesn't report. */
  readonly distributions: Map<number, Shape>;
}

interface LinuxTcOptions {
  readonly maps: ClassMaps;
  readonly classifierFd: number;
  readonly detacherFd: number;
  /** Absent where links end in the real network. */
  readonly farEnds?: FarEnds;
}

export class LinuxTc implements TcPort {
  readonly #attached = new Map<number, Attached>();
  readonly #maps: ClassMaps;
  readonly #classifierFd: number;
  readonly #detacherFd: number;
  readonly #farEnds: FarEnds | undefined;
  /** What rules have done on interfaces that are not shaped any more. */
  readonly #pastRules = new Map<string, RuleCounts>();

  /** `classifierFd` and `detacherFd`: the programs `classify` and `detach`. */
  constructor({ maps, classifierFd, detacherFd, farEnds }: LinuxTcOptions) {
    this.#maps = maps;
    this.#farEnds = farEnds;
    this.#classifierFd = classifierFd;
    this.#detacherFd = detacherFd;
  }

  attach(endpoint: LocalEndpoint): void {
    const socket = within(endpoint.namespace, () => new NetlinkSocket(NETLINK_ROUTE, OWN_PORT));
    const maps = new InterfaceMaps(this.#maps, endpoint);
    this.#attached.set(endpoint.number, { socket, maps, distributions: new Map() });
  }

  detach(endpoint: LocalEndpoint): void {
    this.#farEnds?.release(endpoint.number);
    const attached = this.#attached.get(endpoint.number);
    attached?.maps.clear();
    for (const [rule, counts] of attached?.maps.rules.counts() ?? [])
      addCounts(this.#pastRules, rule, counts);
    attached?.socket.close();
    this.#attached.delete(endpoint.number);
  }

  read(endpoint: LocalEndpoint): InterfaceState {
    const { socket, maps } = this.#attachment(endpoint);
    const gsoSegments = this.#link(endpoint).gsoMaxSegments;
    const targets = maps.readTargets();
    const qdiscs = listQdiscs(socket, endpoint.ifindex);
    const root = qdiscs.find(({ parent }) => parent === TC_H_ROOT);
    const own = root?.kind === 'htb' && root.handle === handle(OWN_MAJOR, 0);
    if (!own) {
      // The kernel's default qdiscs have the handle 0. A qdisc with a handle was added by somebody, even if it is of the same
      // kind.
      const isMade = root !== undefined && root.handle !== 0;
      const foreignRoot = isMade ? `${root.kind} ${formatHandle(root.handle)}` : (root?.kind ?? 'none');
      return { foreignRoot, classifier: false, gsoSegments, classes: new Map(), targets };
    }
    const queues = new Map(qdiscs.map(({ parent, queue }) => [parent, queue]));
    const queueOf = (minor: number): LeafQueue =>
      this.#known(endpoint, minor, queues.get(handle(OWN_MAJOR, minor)) ?? NO_QUEUE);
    const listed = listClasses(socket, endpoint.ifindex, OWN_MAJOR);
    const classes = pathClasses(listed, queueOf).map((seen): [number, ShapedClass] => {
      const queue = withFurther(queueOf(seen.minor), seen.minor, queues);
      const [aqm, mtu, rules] = [
        maps.readAqm(seen.minor),
        maps.mtuOf(seen.minor),
        maps.rules.textOf(seen.minor),
      ];
      const bufferBytes = maps.readBuffer(seen.minor, seen.bytesPerSecond);
      const inMaps = {
        bufferBytes,
        ...(aqm !== undefined && { aqm }),
        ...(mtu !== undefined && { mtu }),
        ...(rules !== undefined && { rules }),
      };
      return [seen.minor, { ...seen, queue, ...inMaps }];
    });
    // A filter with another program belongs to an earlier agent, and uses its maps.
    const classifier =
      listClassifiers(socket, endpoint.ifindex, OWN_MAJOR).includes(programId(this.#classifierFd)) &&
      isInstalled(socket, endpoint.ifindex, 'egress', programId(this.#detacherFd));
    return { foreignRoot: undefined, classifier, gsoSegments, classes: new Map(classes), targets };
  }

  #known(endpoint: LocalEndpoint, minor: number, queue: LeafQueue): LeafQueue {
    if (queue.kind !== 'netem' || queue.distribution !== 'unknown') return queue;
    const distribution = this.#attachment(endpoint).distributions.get(minor);
    return distribution ? { ...queue, distribution } : queue;
  }

  apply(endpoint: LocalEndpoint, ops: readonly TcOp[]): FailedOp[] {
    const failed: FailedOp[] = [];
    // Steps on maps and over netlink keep their order; consecutive steps of one kind are one batch.
    for (let start = 0; start < ops.length; ) {
      const mapRun = isMapOp(ops[start]!);
      let end = start;
      while (end < ops.length && isMapOp(ops[end]!) === mapRun) end++;
      const run = ops.slice(start, end);
      failed.push(
        ...(mapRun
          ? this.#applyToMap(endpoint, run as MapOp[])
          : this.#applyToTc(endpoint, run as NetlinkOp[])),
      );
      start = end;
    }
    return failed;
  }

  #applyToTc(endpoint: LocalEndpoint, ops: readonly NetlinkOp[]): FailedOp[] {
    const attached = this.#attachment(endpoint);
    const failed = allFailing(ops, () => {
      if (ops.some(({ op }) => op === 'delete-root')) this.#farEnds?.release(endpoint.number);
      const verdicts = attached.socket.batch(ops.map((op) => this.#request(endpoint, op)));
      return ops.flatMap((op, index) => {
        const verdict = verdicts[index]!;
        if (verdict.errno !== 0) return [{ op, error: refusal(verdict, endpoint.ifname) }];
        remember(attached, op);
        return [];
      });
    });
    const undone = new Set(failed.map(({ op }) => op));
    const entrances = ops.filter(
      (op) => (op.op === 'add-classifier' || op.op === 'delete-root') && !undone.has(op),
    );
    const classOps = ops.filter((op) => op.op === 'set-class' && !undone.has(op));
    return [
      ...failed,
      ...entrances.flatMap((op) =>
        allFailing([op], () => {
          if (op.op === 'delete-root') removeOwnFilters(attached.socket, endpoint.ifindex, 'egress');
          else {
            installFilter(attached.socket, endpoint.ifindex, 'egress', this.#detacherFd);
            this.#farEnds?.guard(endpoint.number);
          }
          return [];
        }),
      ),
      ...allFailing(classOps, () => {
        attached.maps.setClasses(classOps.flatMap((op) => (op.op === 'set-class' ? op.shaped : [])));
        return [];
      }),
    ];
  }

  stats(endpoint: LocalEndpoint): TcStats {
    const { socket, maps } = this.#attachment(endpoint);
    const qdiscs = listQdiscs(socket, endpoint.ifindex);
    const stats = { waiting: 0, held: 0, passed: 0, lost: 0, overflowed: maps.dropped() };
    for (const { parent, kind, packets } of qdiscs) {
      if (parent === TC_H_ROOT) stats.waiting = packets.waiting;
      // What is in a queue within another is in both.
      if (kind !== 'netem' || parent >>> 16 !== OWN_MAJOR) continue;
      stats.held += packets.waiting;
      stats.passed += packets.sent;
      stats.lost += packets.dropped;
    }
    return stats;
  }

  /** How many paths have more rules than the classifier has room for: those beyond are without effect. */
  get crowdedRules(): number {
    return [...this.#attached.values()].reduce((sum, { maps }) => sum + maps.rules.crowded, 0);
  }

  /** What rules have done so far, by their texts, on all interfaces together. */
  ruleCounts(): ReadonlyMap<string, RuleCounts> {
    const sums = new Map(this.#pastRules);
    for (const { maps } of this.#attached.values())
      for (const [rule, counts] of maps.rules.counts()) addCounts(sums, rule, counts);
    return sums;
  }

  introduce(parties: readonly Party[], gone: readonly string[]): void {
    this.#maps.setParties(parties, gone);
  }

  #request(endpoint: LocalEndpoint, op: NetlinkOp): Request {
    const { ifindex } = endpoint;
    switch (op.op) {
      case 'set-gso':
        return setGsoMaxSegments(
          ifindex,
          op.segments === MOST_GSO_SEGMENTS ? this.#link(endpoint).gsoSegmentsByDefault : op.segments,
        );
      case 'set-root':
        return setHtbRoot(ifindex, OWN_MAJOR, DIRECT_QUEUE_PACKETS);
      case 'delete-root':
        return deleteRoot(ifindex);
      case 'set-class': {
        const { minor, limits } = op.shaped;
        return setHtbClass(ifindex, OWN_MAJOR, minor, op.shaped, QUANTUM_BYTES, limits && placeOf(minor));
      }
      case 'set-group':
        return setHtbClass(ifindex, OWN_MAJOR, groupMinor(op.shaped.minor, 0), op.shaped, QUANTUM_BYTES);
      case 'set-limit': {
        const { minor, limits, overheadBytes, inCells } = op.shaped;
        const rate = {
          ...limits![op.place - 1]!,
          ...(overheadBytes !== undefined && { overheadBytes, inCells }),
        };
        return setHtbClass(
          ...([ifindex, OWN_MAJOR, groupMinor(minor, op.place)] as const),
          ...([rate, QUANTUM_BYTES, placeOf(minor)] as const),
        );
      }
      case 'set-limit-queue': {
        const { minor, limits } = op.shaped;
        return setLeafQueue(ifindex, groupMinor(minor, op.place), limits![op.place - 1]!.queue);
      }
      case 'delete-limit':
        return deleteClass(ifindex, OWN_MAJOR, groupMinor(op.minor, op.place));
      case 'delete-group':
        return deleteClass(ifindex, OWN_MAJOR, groupMinor(op.minor, 0));
      case 'delete-queue':
        return deleteQueue(ifindex, OWN_MAJOR, op.minor);
      case 'set-queue':
        return setLeafQueue(ifindex, op.minor, op.queue);
      case 'set-further':
        return setFurther(ifindex, op.minor, op.place, op);
      case 'cut-further':
        return cutFurther(ifindex, op.minor, op.place);
      case 'add-classifier':
        return setClassifier(ifindex, OWN_MAJOR, this.#classifierFd);
      case 'take-out':
      case 'delete-class':
        return deleteClass(ifindex, OWN_MAJOR, op.minor);
    }
  }

  #applyToMap(endpoint: LocalEndpoint, ops: readonly MapOp[]): FailedOp[] {
    const { maps } = this.#attachment(endpoint);
    return allFailing(ops, () => {
      maps.setTargets(
        ops.flatMap((op) => (op.op === 'set-target' ? [[op.destination, op.minor] as const] : [])),
      );
      maps.removeTargets(ops.flatMap((op) => (op.op === 'delete-target' ? op.destination : [])));
      return [];
    });
  }

  #link(endpoint: LocalEndpoint): Link {
    return readLink(this.#attachment(endpoint).socket, endpoint.ifindex, endpoint.ifname);
  }

  #attachment({ number, name }: LocalEndpoint): Attached {
    const attached = this.#attached.get(number);
    if (!attached) throw new Error(`${name} is not attached`);
    return attached;
  }
}

const setLeafQueue = (ifindex: number, minor: number, queue: LeafQueue): Request =>
  queue.kind === 'netem'
    ? setNetem(ifindex, OWN_MAJOR, minor, queue)
    : setFifo(ifindex, OWN_MAJOR, minor, queue);

/** Of a path's classes in their group. */
const placeOf = (minor: number): HtbPlace => ({
  above: groupMinor(minor, 0),
  ownBytesPerSecond: BORROWER_BYTES_PER_SECOND,
});

/** With the queues within it, in a row: how many, and their rate; 0 where they differ. `queues`: by their parent. */
function withFurther(
  queue: LeafQueue,
  minor: number,
  queues: ReadonlyMap<number, LeafQueue | undefined>,
): LeafQueue {
  if (queue.kind !== 'netem' || minor > MOST_FURTHER_MINOR) return queue;
  const rates: number[] = [];
  for (let place = 0; place < MOST_FURTHER; place++) {
    const within = queues.get(handle(queueMajor(minor, place), 1));
    if (within?.kind !== 'netem') break;
    rates.push(within.slowest);
  }
  const furtherRate = rates.every((rate) => rate === rates[0]) ? rates[0]! : 0;
  return rates.length === 0 ? queue : { ...queue, furtherLinks: rates.length, furtherRate };
}

/** When the action throws, each of its steps counts as failed. */
function allFailing(ops: readonly TcOp[], action: () => FailedOp[]): FailedOp[] {
  try {
    return action();
  } catch (error) {
    return ops.map((op) => ({ op, error: error as Error }));
  }
}

function remember({ maps, distributions }: Attached, op: NetlinkOp): void {
  if (op.op === 'delete-root') distributions.clear();
  else if (op.op === 'delete-class') {
    maps.removeClass(op.minor);
    distributions.delete(op.minor);
  } else if (op.op === 'set-queue') rememberShape(distributions, op.minor, op.queue);
  else if (op.op === 'set-limit-queue') {
    const { minor, limits } = op.shaped;
    rememberShape(distributions, groupMinor(minor, op.place), limits![op.place - 1]!.queue);
  }
}

function rememberShape(distributions: Map<number, Shape>, minor: number, queue: LeafQueue): void {
  const known = queue.kind === 'netem' && queue.distribution !== 'none' && queue.distribution !== 'unknown';
  if (known) distributions.set(minor, queue.distribution);
  else distributions.delete(minor);
}
