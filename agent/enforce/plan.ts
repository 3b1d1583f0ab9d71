/** Installed and desired state → what has to be done, in an order in which every step is valid. Pure. */
import {
  type InterfaceState,
  type LeafQueue,
  MOST_GSO_SEGMENTS,
  NO_PATH,
  OWN_MAJOR,
  type ShapedClass,
} from './interface-state.ts';

export type TcOp = { readonly reason: string } & (
  | { readonly op: 'set-gso'; readonly segments: number }
  | { readonly op: 'set-root' }
  | { readonly op: 'delete-root' }
  | { readonly op: 'set-class'; readonly shaped: ShapedClass }
  | { readonly op: 'set-queue'; readonly minor: number; readonly queue: LeafQueue }
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
  // Only below netfold's root: without it, after a kill, nobody would know whose limit it is.
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

function planClasses(installed: InterfaceState, desired: InterfaceState, ops: TcOp[]): void {
  for (const shaped of desired.classes.values()) {
    const old = installed.classes.get(shaped.minor);
    if (!old) {
      ops.push({ op: 'set-class', shaped, reason: 'new destination' });
    } else if (old.bytesPerSecond !== shaped.bytesPerSecond || !isSameBurst(old, shaped)) {
      ops.push({ op: 'set-class', shaped, reason: `rate was ${old.bytesPerSecond * 8} b/s` });
    } else if (old.bufferBytes !== shaped.bufferBytes) {
      ops.push({ op: 'set-class', shaped, reason: `buffer was ${old.bufferBytes} bytes` });
    }
    if (!old || !isSameQueue(old.queue, shaped.queue)) {
      const { minor, queue } = shaped;
      ops.push({ op: 'set-queue', minor, queue, reason: 'from rate, round trip and impairment' });
    }
  }
}

function isSameQueue(a: LeafQueue, b: LeafQueue): boolean {
  if (a.kind !== b.kind || a.limit !== b.limit) return false;
  if (a.kind !== 'netem' || b.kind !== 'netem') return true;
  return (
    a.latencyNs === b.latencyNs &&
    a.jitterNs === b.jitterNs &&
    a.distribution === b.distribution &&
    a.loss === b.loss
  );
}

/** tc keeps a burst as a time in units of 64 ns, so that reading it back gives another number of bytes. */
function isSameBurst(a: ShapedClass, b: ShapedClass): boolean {
  return Math.abs(a.burstBytes - b.burstBytes) <= 1 + b.bytesPerSecond * 64e-9;
}

function planTargets(installed: InterfaceState, desired: InterfaceState, ops: TcOp[]): void {
  for (const [destination, minor] of desired.targets) {
    const old = installed.targets.get(destination);
    if (old === minor) continue;
    const reason = minor === NO_PATH ? 'no path' : old === NO_PATH ? 'path is back' : 'new destination';
    ops.push({ op: 'set-target', destination, minor, reason });
  }
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
      const { minor, bytesPerSecond, burstBytes, bufferBytes } = op.shaped;
      const buffer = bufferBytes > 0 ? `; bpf map buffers: ${bufferBytes} bytes` : '';
      return `tc class replace dev ${ifname} parent ${OWN}: classid ${classId(minor)} htb rate ${bytesPerSecond * 8}bit burst ${burstBytes}${buffer}`;
    }
    case 'set-queue':
      return `tc qdisc replace dev ${ifname} parent ${classId(op.minor)} ${formatQueue(op.queue)}`;
    case 'set-target':
      return `bpf map classes: ${op.destination} -> ${op.minor === NO_PATH ? 'drop' : classId(op.minor)}`;
    case 'add-classifier':
      return `tc filter add dev ${ifname} parent ${OWN}: protocol all prio 1 bpf direct-action name netfold`;
    case 'delete-target':
      return `bpf map classes: delete ${op.destination}`;
    case 'delete-class':
      return `tc class del dev ${ifname} classid ${classId(op.minor)}`;
  }
}

/** As tc prints it. */
export function formatQueue(queue: LeafQueue): string {
  if (queue.kind !== 'netem') return `${queue.kind} limit ${queue.limit}`;
  const { limit, latencyNs, jitterNs, distribution, loss } = queue;
  const jitter = jitterNs > 0 ? ` ${jitterNs}ns distribution ${distribution}` : '';
  return `netem limit ${limit} delay ${latencyNs}ns${jitter} loss ${loss * 100}%`;
}

/** What is installed after `ops` took effect. */
export function applyToState(state: InterfaceState, ops: readonly TcOp[]): InterfaceState {
  let { foreignRoot, classifier, gsoSegments } = state;
  const classes = new Map(state.classes);
  const targets = new Map(state.targets);
  for (const op of ops) {
    if (op.op === 'set-gso') gsoSegments = op.segments;
    else if (op.op === 'set-root') foreignRoot = undefined;
    else if (op.op === 'add-classifier') classifier = true;
    else if (op.op === 'set-target') targets.set(op.destination, op.minor);
    else if (op.op === 'delete-target') targets.delete(op.destination);
    else if (op.op === 'delete-class') classes.delete(op.minor);
    else if (op.op === 'set-class')
      classes.set(op.shaped.minor, { ...op.shaped, queue: classes.get(op.shaped.minor)?.queue ?? NO_QUEUE });
    else if (op.op === 'set-queue') classes.set(op.minor, { ...classes.get(op.minor)!, queue: op.queue });
    else {
      foreignRoot = 'default';
      classifier = false;
      classes.clear();
    }
  }
  return { foreignRoot, classifier, gsoSegments, classes, targets };
}

/** A class that has just been made has the kernel's default queue. */
const NO_QUEUE: LeafQueue = { kind: 'pfifo', limit: -1 };
