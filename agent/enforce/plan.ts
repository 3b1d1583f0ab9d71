/** Installed and desired state → the steps, in an order in which each is valid. Pure. */
import { fromBytesPerSecond } from '../../proto/units.ts';
import {
  type InterfaceChange,
  type InterfaceState,
  type LeafQueue,
  MOST_GSO_SEGMENTS,
  type MutableState,
  NO_PATH,
  OWN_MAJOR,
  queueMajor,
  type ShapedClass,
  UNSHAPED,
} from './interface-state.ts';

export type TcOp = { readonly reason: string } & (
  | { readonly op: 'set-gso'; readonly segments: number }
  | { readonly op: 'set-root' }
  | { readonly op: 'delete-root' }
  | { readonly op: 'set-class'; readonly shaped: ShapedClass }
  | { readonly op: 'delete-queue'; readonly minor: number }
  | { readonly op: 'set-queue'; readonly minor: number; readonly queue: LeafQueue }
  | {
      readonly op: 'set-further';
      readonly minor: number;
      /** From 1, in the order of packets. */
      readonly place: number;
      readonly bytesPerSecond: number;
      readonly limit: number;
    }
  /** The one at this place, and those that follow. */
  | { readonly op: 'cut-further'; readonly minor: number; readonly place: number }
  | { readonly op: 'set-target'; readonly destination: string; readonly minor: number }
  | { readonly op: 'add-classifier' }
  | { readonly op: 'delete-target'; readonly destination: string }
  | { readonly op: 'delete-class'; readonly minor: number }
);

/** The same state twice gives an empty plan. */
export function planTc(installed: InterfaceState, desired: InterfaceState): TcOp[] {
  if (desired.foreignRoot !== undefined) return planRemoval(installed, desired);
  const ops: TcOp[] = [];
  if (installed.foreignRoot !== undefined)
    ops.push({ op: 'set-root', reason: `in place of ${installed.foreignRoot}` });
  // Only below netfold's root: without the root, after a kill, the limit could not be recognised as netfold's.
  if (installed.gsoSegments !== desired.gsoSegments) {
    ops.push({ op: 'set-gso', segments: desired.gsoSegments, reason: 'the slowest path bounds the burst' });
  }
  planClasses(installed, desired, ops);
  planTargets(installed, desired, ops);
  if (!installed.classifier) ops.push({ op: 'add-classifier', reason: 'destinations find their class' });
  planLeftovers(installed, desired, ops);
  return ops;
}

function planRemoval(installed: InterfaceState, desired: InterfaceState): TcOp[] {
  const reason = 'the interface is given back';
  const ops: TcOp[] = [...installed.targets.keys()].map((destination) => ({
    op: 'delete-target',
    destination,
    reason,
  }));
  if (installed.gsoSegments !== desired.gsoSegments)
    ops.push({ op: 'set-gso', segments: desired.gsoSegments, reason });
  if (installed.foreignRoot === undefined) ops.push({ op: 'delete-root', reason });
  return ops;
}

/**
 * The part of `planTc` for this change; the rest of the interface is not compared. Only for an interface with
 * netfold's root and classifier.
 */
export function planChange(installed: InterfaceState, change: InterfaceChange): TcOp[] {
  const ops: TcOp[] = [];
  const { gsoSegments } = change;
  if (installed.gsoSegments !== gsoSegments)
    ops.push({ op: 'set-gso', segments: gsoSegments, reason: 'the slowest path bounds the burst' });
  for (const shaped of change.classes) planClass(installed, shaped, ops);
  for (const [destination, minor] of change.targets) planTarget(installed, destination, minor, ops);
  const reason = 'not used any more';
  for (const destination of change.goneTargets)
    if (installed.targets.has(destination)) ops.push({ op: 'delete-target', destination, reason });
  for (const minor of change.goneClasses)
    if (installed.classes.has(minor)) ops.push({ op: 'delete-class', minor, reason });
  return ops;
}

function planClasses(installed: InterfaceState, desired: InterfaceState, ops: TcOp[]): void {
  for (const shaped of desired.classes.values()) planClass(installed, shaped, ops);
}

function planClass(installed: InterfaceState, shaped: ShapedClass, ops: TcOp[]): void {
  const { minor, queue } = shaped;
  const old = installed.classes.get(minor);
  if (!old) {
    ops.push({ op: 'set-class', shaped, reason: 'new destination' });
  } else if (old.bytesPerSecond !== shaped.bytesPerSecond || !isSameBurst(old, shaped)) {
    ops.push({ op: 'set-class', shaped, reason: `rate was ${fromBytesPerSecond(old.bytesPerSecond)} b/s` });
  } else if (old.overheadBytes !== shaped.overheadBytes || old.inCells !== shaped.inCells) {
    ops.push({ op: 'set-class', shaped, reason: `was${formatOverhead(old) || ' without overhead'}` });
  } else if (old.mtu !== shaped.mtu) {
    ops.push({ op: 'set-class', shaped, reason: `MTU was ${old.mtu ?? 'any'}` });
  } else if (old.rules !== shaped.rules) {
    ops.push({ op: 'set-class', shaped, reason: `rules were: ${old.rules ?? 'none'}` });
  } else if (old.bufferBytes !== shaped.bufferBytes) {
    ops.push({ op: 'set-class', shaped, reason: `buffer was ${old.bufferBytes} bytes` });
  } else if (old.aqm !== shaped.aqm) {
    ops.push({ op: 'set-class', shaped, reason: `its buffer was managed by ${old.aqm ?? 'nothing'}` });
  }
  const first = firstOf(queue);
  let before = old?.queue ?? NO_QUEUE;
  if (!old || !isSameQueue(firstOf(before), first)) {
    // A queue keeps its handle, and the kernel changes a queue by its handle only if the kind stays the same.
    if (before.limit !== NO_QUEUE.limit && (before.kind !== queue.kind || keepsMore(before, queue))) {
      ops.push({ op: 'delete-queue', minor, reason: `was ${before.kind}` });
      before = NO_QUEUE;
    }
    ops.push({ op: 'set-queue', minor, queue: first, reason: 'from rate, round trip and impairment' });
  }
  planFurther(minor, before, queue, ops);
}

/** The queues of links that follow the slowest one. They stay when the first queue changes, and go with it. */
function planFurther(minor: number, before: LeafQueue, queue: LeafQueue, ops: TcOp[]): void {
  const had = furtherOf(before);
  const { links, rate } = furtherOf(queue);
  const { limit } = queue;
  const isSame = had.rate === rate && before.limit === limit;
  for (let place = isSame ? had.links + 1 : 1; place <= links; place++)
    ops.push({ op: 'set-further', minor, place, bytesPerSecond: rate, limit, reason: 'a link that follows' });
  if (had.links > links)
    ops.push({ op: 'cut-further', minor, place: links + 1, reason: 'fewer links follow' });
}

function furtherOf(queue: LeafQueue): { links: number; rate: number } {
  const { furtherLinks = 0, furtherRate = 0 } = queue.kind === 'netem' ? queue : {};
  return { links: furtherLinks, rate: furtherRate };
}

/** Without the queues within it. */
function firstOf(queue: LeafQueue): LeafQueue {
  if (queue.kind !== 'netem' || queue.furtherLinks === undefined) return queue;
  const { furtherLinks: _, furtherRate: __, ...first } = queue;
  return first;
}

function withFurther(queue: LeafQueue, links: number, rate: number): LeafQueue {
  return queue.kind !== 'netem' || links === 0
    ? firstOf(queue)
    : { ...queue, furtherLinks: links, furtherRate: rate };
}

/** Whether netem would keep what it is not to have any more. */
function keepsMore(old: LeafQueue, queue: LeafQueue): boolean {
  if (old.kind !== 'netem' || queue.kind !== 'netem') return false;
  return (['corrupt', 'slots'] as const).some((one) => old[one] !== undefined && queue[one] === undefined);
}

/** Equal in all properties of their kind, also in those that only one of them has. */
function isSameQueue(a: LeafQueue, b: LeafQueue): boolean {
  for (const field in a) if (a[field as keyof LeafQueue] !== b[field as keyof LeafQueue]) return false;
  for (const field in b) if (a[field as keyof LeafQueue] !== b[field as keyof LeafQueue]) return false;
  return true;
}

/** tc keeps a burst as a time in units of 64 ns, so that reading it back gives another number of bytes. */
function isSameBurst(a: ShapedClass, b: ShapedClass): boolean {
  return Math.abs(a.burstBytes - b.burstBytes) <= 1 + b.bytesPerSecond * 64e-9;
}

function planTargets(installed: InterfaceState, desired: InterfaceState, ops: TcOp[]): void {
  for (const [destination, minor] of desired.targets) planTarget(installed, destination, minor, ops);
}

function planTarget(installed: InterfaceState, destination: string, minor: number, ops: TcOp[]): void {
  const old = installed.targets.get(destination);
  if (old === minor) return;
  const reason = minor === NO_PATH ? 'no path' : old === NO_PATH ? 'path is back' : 'new destination';
  ops.push({ op: 'set-target', destination, minor, reason });
}

function planLeftovers(installed: InterfaceState, desired: InterfaceState, ops: TcOp[]): void {
  for (const destination of installed.targets.keys()) {
    if (!desired.targets.has(destination))
      ops.push({ op: 'delete-target', destination, reason: 'destination is gone' });
  }
  for (const minor of installed.classes.keys()) {
    if (!desired.classes.has(minor)) ops.push({ op: 'delete-class', minor, reason: 'destination is gone' });
  }
}

const OWN = OWN_MAJOR.toString(16);
const classId = (minor: number): string => `${OWN}:${minor.toString(16)}`;

/** One line per step in the words of tc, with the reason. */
export function formatPlan(ifname: string, ops: readonly TcOp[]): string {
  return ops.map((op) => `${formatOp(ifname, op)}  # ${op.reason}`).join('\n');
}

function formatOp(ifname: string, op: TcOp): string {
  switch (op.op) {
    case 'set-gso':
      return `ip link set dev ${ifname} gso_max_segs ${op.segments === MOST_GSO_SEGMENTS ? 'most' : op.segments}`;
    case 'set-root':
      return `tc qdisc replace dev ${ifname} root handle ${OWN}: htb default 0`;
    case 'delete-root':
      return `tc qdisc del dev ${ifname} root`;
    case 'set-class': {
      const { minor, bytesPerSecond, burstBytes, bufferBytes, aqm, mtu, rules } = op.shaped;
      const managed = aqm === undefined ? '' : `, ${aqm}`;
      const inMaps = [
        bufferBytes > 0 && `; bpf map buffers: ${bufferBytes} bytes${managed}`,
        mtu !== undefined && `; bpf map classes: MTU ${mtu}`,
        rules !== undefined && `; bpf map rules: ${rules}`,
      ];
      const buffer = inMaps.filter((one) => one).join('');
      return `tc class replace dev ${ifname} parent ${OWN}: classid ${classId(minor)} htb rate ${fromBytesPerSecond(bytesPerSecond)}bit burst ${burstBytes}${formatOverhead(op.shaped)}${buffer}`;
    }
    case 'delete-queue':
      return `tc qdisc del dev ${ifname} parent ${classId(op.minor)}`;
    case 'set-queue':
      return `tc qdisc replace dev ${ifname} parent ${classId(op.minor)} handle ${op.minor.toString(16)}: ${formatQueue(op.queue)}`;
    case 'set-further': {
      const queue = `netem limit ${op.limit} rate ${fromBytesPerSecond(op.bytesPerSecond)}bit`;
      const own = queueMajor(op.minor, op.place).toString(16);
      return `tc qdisc replace dev ${ifname} parent ${withinQueue(op)} handle ${own}: ${queue}`;
    }
    case 'cut-further':
      return `tc qdisc del dev ${ifname} parent ${withinQueue(op)}`;
    case 'set-target':
      return `bpf map classes: ${op.destination} -> ${formatTarget(op.minor)}`;
    case 'add-classifier':
      return `tc filter add dev ${ifname} parent ${OWN}: protocol all prio 1 bpf direct-action name netfold`;
    case 'delete-target':
      return `bpf map classes: delete ${op.destination}`;
    case 'delete-class':
      return `tc class del dev ${ifname} classid ${classId(op.minor)}`;
  }
}

const withinQueue = ({ minor, place }: { minor: number; place: number }): string =>
  `${queueMajor(minor, place - 1).toString(16)}:1`;

/** As tc prints it, after a space; empty without one. */
export const formatOverhead = ({
  overheadBytes,
  inCells,
}: Pick<ShapedClass, 'overheadBytes' | 'inCells'>): string =>
  overheadBytes === undefined ? '' : ` overhead ${overheadBytes}${inCells ? ' linklayer atm' : ''}`;

function formatTarget(minor: number): string {
  if (minor === NO_PATH) return 'drop';
  return minor === UNSHAPED ? 'pass' : classId(minor);
}

/** As tc prints it. */
export function formatQueue(queue: LeafQueue): string {
  if (queue.kind !== 'netem') return `${queue.kind} limit ${queue.limit}`;
  const { limit, latencyNs, jitterNs, distribution, loss, lossModel, corrupt, reorder, slots } = queue;
  const { slowest, framing, furtherLinks, furtherRate = 0 } = queue;
  const shape = distribution.startsWith('quantiles') ? 'of the user' : distribution;
  const parts = [
    `netem limit ${limit} delay ${latencyNs}ns`,
    jitterNs > 0 && `${jitterNs}ns distribution ${shape}`,
    lossModel === undefined ? `loss ${loss * 100}%` : `loss ${lossModel}`,
    corrupt && `corrupt ${corrupt * 100}%`,
    reorder && `reorder ${reorder * 100}%`,
    slots !== undefined && `slot ${slots.replace(' ', 'ns ')}ns`,
    slowest > 0 && `rate ${fromBytesPerSecond(slowest)}bit${framing === undefined ? '' : ` ${framing}`}`,
    furtherLinks && `within ${furtherLinks} at ${fromBytesPerSecond(furtherRate)}bit`,
  ];
  return parts.filter((part) => part).join(' ');
}

/** What is installed after `ops` took effect. */
export function applyToState(state: InterfaceState, ops: readonly TcOp[]): MutableState {
  const next = { ...state, classes: new Map(state.classes), targets: new Map(state.targets) };
  applyInPlace(next, ops);
  return next;
}

/** The same in place: the cost depends on the steps alone. */
export function applyInPlace(state: MutableState, ops: readonly TcOp[]): void {
  const { classes, targets } = state;
  const queueOf = (minor: number): LeafQueue => classes.get(minor)?.queue ?? NO_QUEUE;
  const setQueue = (minor: number, queue: LeafQueue): void =>
    void classes.set(minor, { ...classes.get(minor)!, queue });
  for (const op of ops) {
    if (op.op === 'set-gso') state.gsoSegments = op.segments;
    else if (op.op === 'set-root') state.foreignRoot = undefined;
    else if (op.op === 'add-classifier') state.classifier = true;
    else if (op.op === 'set-target') targets.set(op.destination, op.minor);
    else if (op.op === 'delete-target') targets.delete(op.destination);
    else if (op.op === 'delete-class') classes.delete(op.minor);
    else if (op.op === 'set-class')
      classes.set(op.shaped.minor, { ...op.shaped, queue: queueOf(op.shaped.minor) });
    else if (op.op === 'set-queue') {
      const { links, rate } = furtherOf(queueOf(op.minor));
      setQueue(op.minor, withFurther(op.queue, links, rate));
    } else if (op.op === 'set-further') {
      const { links } = furtherOf(queueOf(op.minor));
      setQueue(op.minor, withFurther(queueOf(op.minor), Math.max(links, op.place), op.bytesPerSecond));
    } else if (op.op === 'cut-further') {
      const { rate } = furtherOf(queueOf(op.minor));
      setQueue(op.minor, withFurther(queueOf(op.minor), op.place - 1, rate));
    } else if (op.op === 'delete-queue') setQueue(op.minor, NO_QUEUE);
    else {
      state.foreignRoot = 'default';
      state.classifier = false;
      classes.clear();
    }
  }
}

/** A new class has the kernel's default queue. */
const NO_QUEUE: LeafQueue = { kind: 'pfifo', limit: -1 };
