/** Installed and desired state → the steps, in an order in which each is valid. Pure. */
import { fromBytesPerSecond } from '../../proto/units.ts';
import {
  formatOverhead,
  type InterfaceChange,
  type InterfaceState,
  type LeafQueue,
  type LimitedClass,
  type MutableState,
  NO_PATH,
  type ShapedClass,
} from './interface-state.ts';

export type TcOp = { readonly reason: string } & (
  | { readonly op: 'set-gso'; readonly segments: number }
  | { readonly op: 'set-root' }
  | { readonly op: 'delete-root' }
  | { readonly op: 'set-class'; readonly shaped: ShapedClass }
  /** The class above the path's and those that rules limit. */
  | { readonly op: 'set-group'; readonly shaped: ShapedClass }
  | { readonly op: 'set-limit' | 'set-limit-queue'; readonly shaped: ShapedClass; readonly place: number }
  | { readonly op: 'delete-limit'; readonly minor: number; readonly place: number }
  /** The path's class, which has another place next: in a group, or outside of it. */
  | { readonly op: 'take-out'; readonly minor: number }
  | { readonly op: 'delete-group'; readonly minor: number }
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
  for (const minor of change.goneClasses) planGone(installed, minor, reason, ops);
  return ops;
}

function planClasses(installed: InterfaceState, desired: InterfaceState, ops: TcOp[]): void {
  for (const shaped of desired.classes.values()) planClass(installed, shaped, ops);
}

function planClass(installed: InterfaceState, shaped: ShapedClass, ops: TcOp[]): void {
  const { minor, queue } = shaped;
  const known = installed.classes.get(minor);
  const old = known && isInGroup(known) === isInGroup(shaped) ? known : undefined;
  if (known && !old) {
    const reason = isInGroup(shaped) ? 'rules limit a part of it' : 'no rule limits it any more';
    planApart(known, { op: 'take-out', minor, reason }, ops);
  }
  planGroup(old, shaped, ops);
  if (!old) {
    ops.push({ op: 'set-class', shaped, reason: known ? 'another place' : 'new destination' });
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
    if (!canBecome(before, queue)) {
      ops.push({ op: 'delete-queue', minor, reason: `was ${before.kind}` });
      before = NO_QUEUE;
    }
    ops.push({ op: 'set-queue', minor, queue: first, reason: 'from rate, round trip and impairment' });
  }
  planFurther(minor, before, queue, ops);
  planLimits(old, shaped, ops);
}

const isInGroup = ({ limits }: ShapedClass): boolean => limits !== undefined;

/** Before the classes in it. */
function planGroup(old: ShapedClass | undefined, shaped: ShapedClass, ops: TcOp[]): void {
  if (!isInGroup(shaped)) return;
  const isSame = old && old.bytesPerSecond === shaped.bytesPerSecond && isSameBurst(old, shaped);
  if (!isSame || old.overheadBytes !== shaped.overheadBytes || old.inCells !== shaped.inCells)
    ops.push({ op: 'set-group', shaped, reason: 'rules limit a part of it' });
}

/** The limited classes: those that differ, and of what was there, those that are too many. */
function planLimits(old: ShapedClass | undefined, shaped: ShapedClass, ops: TcOp[]): void {
  const { minor, limits: wanted = [] } = shaped;
  const had = old?.limits ?? [];
  for (const [index, limit] of wanted.entries()) {
    const place = index + 1;
    let before: LimitedClass | undefined = had[index];
    if (before && !canBecome(before.queue, limit.queue)) {
      ops.push({ op: 'delete-limit', minor, place, reason: `was ${before.queue.kind}` });
      before = undefined;
    }
    const isSameRate = before?.bytesPerSecond === limit.bytesPerSecond && isSameBurst(before, limit);
    const reason = before ? `limit was ${fromBytesPerSecond(before.bytesPerSecond)} b/s` : 'a rule limits it';
    if (!isSameRate) ops.push({ op: 'set-limit', shaped, place, reason });
    if (!before || !isSameQueue(before.queue, limit.queue))
      ops.push({ op: 'set-limit-queue', shaped, place, reason: 'from rate, round trip and impairment' });
  }
  for (let place = had.length; place > wanted.length; place--)
    ops.push({ op: 'delete-limit', minor, place, reason: 'no rule has it any more' });
}

/** A queue keeps its handle, and the kernel changes a queue by its handle only if the kind stays the same. */
const canBecome = (before: LeafQueue, queue: LeafQueue): boolean =>
  before.limit === NO_QUEUE.limit || (before.kind === queue.kind && !keepsMore(before, queue));

/** A class with what is beside and above it: `last` deletes the class itself. */
function planApart(old: ShapedClass, last: TcOp, ops: TcOp[]): void {
  const { minor, limits } = old;
  const { reason } = last;
  for (let place = limits?.length ?? 0; place > 0; place--)
    ops.push({ op: 'delete-limit', minor, place, reason });
  ops.push(last);
  if (limits) ops.push({ op: 'delete-group', minor, reason });
}

function planGone(installed: InterfaceState, minor: number, reason: string, ops: TcOp[]): void {
  const old = installed.classes.get(minor);
  if (old) planApart(old, { op: 'delete-class', minor, reason }, ops);
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

type Rated = Pick<ShapedClass, 'bytesPerSecond' | 'burstBytes'>;

/** tc keeps a burst as a time in units of 64 ns, so that reading it back gives another number of bytes. */
function isSameBurst(a: Rated, b: Rated): boolean {
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
    if (!desired.classes.has(minor)) planGone(installed, minor, 'destination is gone', ops);
  }
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
  const setLimits = (minor: number, limits: readonly LimitedClass[]): void =>
    void (classes.has(minor) && classes.set(minor, { ...classes.get(minor)!, limits }));
  for (const op of ops) {
    if (op.op === 'set-gso') state.gsoSegments = op.segments;
    else if (op.op === 'set-root') state.foreignRoot = undefined;
    else if (op.op === 'add-classifier') state.classifier = true;
    else if (op.op === 'set-target') targets.set(op.destination, op.minor);
    else if (op.op === 'delete-target') targets.delete(op.destination);
    else if (op.op === 'delete-class') classes.delete(op.minor);
    else if (op.op === 'set-class') {
      const { minor, limits } = op.shaped;
      const had = classes.get(minor)?.limits ?? [];
      classes.set(minor, { ...op.shaped, queue: queueOf(minor), ...(limits && { limits: had }) });
    } else if (op.op === 'set-limit') {
      const { minor, limits } = op.shaped;
      const next = [...(classes.get(minor)?.limits ?? [])];
      const limit = limits![op.place - 1]!;
      next[op.place - 1] = { ...limit, queue: next[op.place - 1]?.queue ?? NO_QUEUE };
      setLimits(minor, next);
    } else if (op.op === 'set-limit-queue') {
      const { minor, limits } = op.shaped;
      setLimits(minor, classes.get(minor)!.limits!.with(op.place - 1, limits![op.place - 1]!));
    } else if (op.op === 'delete-limit')
      setLimits(op.minor, withoutLimit(classes.get(op.minor)?.limits ?? [], op.place));
    else if (op.op === 'take-out') setQueue(op.minor, NO_QUEUE);
    else if (op.op === 'set-group' || op.op === 'delete-group') continue;
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

/** The last one goes; one in between comes again next. */
function withoutLimit(limits: readonly LimitedClass[], place: number): readonly LimitedClass[] {
  if (place === limits.length) return limits.slice(0, -1);
  return limits.with(place - 1, { bytesPerSecond: 0, burstBytes: 0, queue: NO_QUEUE });
}

/** A new class has the kernel's default queue. */
const NO_QUEUE: LeafQueue = { kind: 'pfifo', limit: -1 };
