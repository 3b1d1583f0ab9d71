/** The events of a script, played in the order of their times → events of the timeline. */
import { type Micros, micros } from '../../../proto/units.ts';
import type { EventAction, LinkTarget, NodeTarget, Target, TopologyEvent } from '../../model/events.ts';
import { MAX_SCRIPT_EVENTS } from '../../model/limits.ts';
import type { Position } from '../../model/position.ts';
import { TclError, TclStop } from '../../tcl/errors.ts';
import { withoutOverwritten } from './overwritten.ts';
import type { Lan, Link, Node } from './things.ts';
import type { Due, Happening, World } from './world.ts';

/** Runs what is due, which may make more of it due later. Throws `TclStop` for what takes too much. */
export function playEvents(world: World): void {
  const queue = new Queue();
  queue.take(world);
  for (let due = queue.next(); due; due = queue.next()) {
    world.now = due.at;
    const { script, place } = due;
    try {
      world.tcl.evaluateIn(world.tcl.variables.global, script);
    } catch (error) {
      if (error instanceof TclStop && error.reason === 'exit') {
        world.happen({ place, field: '$ns at', make: () => ({ verb: 'quit' }) });
        return;
      }
      if (!(error instanceof TclError)) throw error;
      world.findings.error('TCL_ERROR', error.place ?? place, '$ns at', error.message, error.remedy);
    }
    queue.take(world);
  }
}

/** By time, and of one time in the order of the script. */
class Queue {
  #taken = 0;
  /** In batches, each sorted: what the script schedules at once, and then what events schedule. */
  readonly #heap: { readonly due: Due; readonly number: number }[] = [];

  take({ due }: World): void {
    for (; this.#taken < due.length; this.#taken++)
      this.#push({ due: due[this.#taken]!, number: this.#taken });
  }

  next(): Due | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (!first || !last) return undefined;
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink();
    }
    return first.due;
  }

  #isBefore(a: number, b: number): boolean {
    const [x, y] = [this.#heap[a]!, this.#heap[b]!];
    return x.due.at - y.due.at < 0 || (x.due.at === y.due.at && x.number < y.number);
  }

  #push(entry: { readonly due: Due; readonly number: number }): void {
    this.#heap.push(entry);
    for (let at = this.#heap.length - 1; at > 0; ) {
      const above = (at - 1) >> 1;
      if (!this.#isBefore(at, above)) return;
      this.#swap(at, above);
      at = above;
    }
  }

  #sink(): void {
    for (let at = 0; ; ) {
      let least = at;
      for (const below of [2 * at + 1, 2 * at + 2])
        if (below < this.#heap.length && this.#isBefore(below, least)) least = below;
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #swap(a: number, b: number): void {
    [this.#heap[a], this.#heap[b]] = [this.#heap[b]!, this.#heap[a]!];
  }
}

export interface Named {
  readonly names: ReadonlyMap<Node | Lan, string>;
  /** Links that are not in the topology, being parallel to others. */
  readonly leftOut: ReadonlySet<Link>;
  readonly file: string;
}

/** In the order of their times. A link that is up already does not come up again. */
export function topologyEvents(
  world: World,
  named: Named,
): { readonly events: TopologyEvent[]; readonly fields: ReadonlyMap<TopologyEvent, string> } {
  const fields = new Map<TopologyEvent, string>();
  const down = new Set<unknown>();
  const sorted = world.happenings.toSorted((a, b) => a.at - b.at);
  const latest = new Map<unknown, TopologyEvent>();
  const cancelled = new Set<TopologyEvent>();
  const found = sorted.flatMap((happening): TopologyEvent[] => {
    const position: Position = {
      file: named.file,
      line: happening.place.line,
      column: happening.place.column,
    };
    const made = actionOf(happening, named, position);
    if (!made || !changesPresence(made, happening, down)) return [];
    const event = { at: micros(happening.at) as Micros, action: made, position };
    fields.set(event, happening.field);
    if (!PRESENCE.has(made.verb)) return [event];
    const key = keyOf(happening);
    const before = latest.get(key);
    if (before && isUndoneBy(before, event)) {
      for (const one of [before, event]) cancelled.add(one);
      latest.delete(key);
    } else {
      latest.set(key, event);
    }
    return [event];
  });
  const events = withoutOverwritten(
    found.filter((event) => !cancelled.has(event)),
    (event, rest) => fields.set(rest, fields.get(event)!),
  );
  if (events.length > MAX_SCRIPT_EVENTS)
    throw new TclStop('limit', `there are more than ${MAX_SCRIPT_EVENTS} events`);
  return { events, fields };
}

/** The action with its targets; `undefined`: its link is none of the topology. */
export function actionOf(
  { of, make }: Happening,
  { names, leftOut }: Named,
  position: Position,
): EventAction | undefined {
  if (!of) return make([]);
  const node = (thing: Node | Lan): NodeTarget => ({
    kind: 'node',
    node: { name: names.get(thing)! },
    position,
  });
  const link = (from: Node | Lan, to: Node | Lan, directed: boolean): LinkTarget => ({
    kind: 'link',
    from: { name: names.get(from)! },
    to: { name: names.get(to)! },
    directed,
    position,
  });
  if (of.kind === 'node') return make([node(of)]);
  if (of.kind === 'lan') {
    const whole = make([node(of)]);
    return whole.verb === 'set' ? make(of.legs.map((leg): Target => link(leg.node, of, false))) : whole;
  }
  const wire = of.kind === 'link' ? of : of.link;
  if (leftOut.has(wire)) return undefined;
  const isBack = of.kind === 'one way' && of.direction === wire.back;
  const [from, to] = isBack ? wire.ends.toReversed() : wire.ends;
  return make([link(from!, to!, of.kind === 'one way' || wire.back === undefined)]);
}

const keyOf = ({ of }: Happening): unknown => (of?.kind === 'one way' ? of.direction : of);

/** At one instant, down and up again is nothing: in a file the two would contradict each other. */
function isUndoneBy(before: TopologyEvent, event: TopologyEvent): boolean {
  const verbs = `${before.action.verb} ${event.action.verb}`;
  return before.at === event.at && UNDOING.has(verbs);
}

const PRESENCE: ReadonlySet<string> = new Set(['leave', 'join', 'disconnect', 'reconnect', 'crash']);

const UNDOING: ReadonlySet<string> = new Set([
  'leave join',
  'join leave',
  'disconnect reconnect',
  'reconnect disconnect',
]);

function changesPresence({ verb }: EventAction, happening: Happening, down: Set<unknown>): boolean {
  const { of } = happening;
  if (of?.kind === 'node' && (verb === 'join' || verb === 'crash')) return true;
  const key = keyOf(happening);
  if (verb === 'leave' || verb === 'disconnect') {
    if (down.has(key)) return false;
    down.add(key);
    return true;
  }
  return verb === 'join' || verb === 'reconnect' ? down.delete(key) : true;
}
