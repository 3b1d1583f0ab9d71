/**
 * Local improvement: passes of moves in the order of their gain, each vertex once, of which the best beginning is kept
 * (Fiduccia and Mattheyses, "A linear-time heuristic for improving network partitions", DAC 1982; between more than two
 * parts after Sanchis, 1989). A pass goes on through worse states, and so leaves a local optimum.
 */
import type { Assignment } from './assignment.ts';
import { GainHeap } from './gain-heap.ts';

/** Passes without an end were not seen; most find nothing after the fourth. */
const MAX_PASSES = 12;
/** A pass ends after so many moves without a new best state; a part of all vertices. */
const PATIENCE = 0.1;
const LEAST_PATIENCE = 60;
/** When a part gets room, so many of those that wait for it are tried again. */
const RETRIED = 16;

/** Fewer limits exceeded, then less cut. */
export function isBetter(
  one: { readonly excess: number; readonly cut: number },
  other: { readonly excess: number; readonly cut: number },
): boolean {
  if (Math.abs(one.excess - other.excess) > SAME_EXCESS) return one.excess < other.excess;
  return one.cut < other.cut;
}

/** Rounding in the sums of an excess. */
const SAME_EXCESS = 1e-7;

export function refine(assignment: Assignment, passes = MAX_PASSES): void {
  if (assignment.excess > 0) rebalance(assignment);
  for (let pass = 0; pass < passes; pass++) if (!new Pass(assignment).run()) return;
}

class Pass {
  readonly #assignment: Assignment;
  readonly #heap = new GainHeap();
  readonly #moved: Uint8Array;
  readonly #moves: { readonly vertex: number; readonly from: number }[] = [];
  /** Per part: vertices that would move there if it had room. */
  readonly #waiting: number[][];

  constructor(assignment: Assignment) {
    const { parts, graph } = assignment.problem;
    this.#assignment = assignment;
    this.#moved = new Uint8Array(graph.size);
    this.#waiting = Array.from({ length: parts }, () => []);
  }

  /** Whether something has improved. */
  run(): boolean {
    const assignment = this.#assignment;
    const { size } = assignment.problem.graph;
    const patience = Math.max(LEAST_PATIENCE, size * PATIENCE);
    // Not those at borders alone: one from the inside may be the cheapest in exchange for one that wants in.
    for (let vertex = 0; vertex < size; vertex++) this.#offer(vertex);
    let best = { excess: assignment.excess, cut: assignment.cut };
    let kept = 0;
    while (!this.#heap.isEmpty && this.#moves.length - kept < patience) {
      if (!this.#step()) continue;
      if (!isBetter(assignment, best)) continue;
      best = { excess: assignment.excess, cut: assignment.cut };
      kept = this.#moves.length;
    }
    for (const { vertex, from } of this.#moves.slice(kept).reverse()) assignment.move(vertex, from);
    return kept > 0;
  }

  /** Moves the vertex with the greatest gain, if that is still its gain. */
  #step(): boolean {
    const { vertex, gain } = this.#heap.pop();
    if (this.#moved[vertex]) return false;
    const to = this.#target(vertex);
    if (to === -1) return false;
    const present = this.#assignment.gain(vertex, to);
    if (present < gain) {
      this.#heap.push(vertex, present);
      return false;
    }
    this.#move(vertex, to);
    return true;
  }

  #move(vertex: number, to: number): void {
    const { problem, part } = this.#assignment;
    const { start, target } = problem.graph;
    const from = part[vertex]!;
    this.#assignment.move(vertex, to);
    this.#moved[vertex] = 1;
    this.#moves.push({ vertex, from });
    for (let slot = start[vertex]!; slot < start[vertex + 1]!; slot++) this.#offer(target[slot]!);
    for (const waiting of this.#waiting[from]!.splice(0, RETRIED)) this.#offer(waiting);
  }

  #offer(vertex: number): void {
    if (this.#moved[vertex]) return;
    const to = this.#target(vertex);
    if (to !== -1) this.#heap.push(vertex, this.#assignment.gain(vertex, to));
  }

  /** The part that takes the vertex and gains most; -1 for none. */
  #target(vertex: number): number {
    const assignment = this.#assignment;
    const { parts } = assignment.problem;
    const own = assignment.part[vertex]!;
    const row = vertex * parts;
    let best = -1;
    let blocked = -1;
    let most = -1;
    let mostBlocked = -1;
    for (let to = 0; to < parts; to++) {
      const connection = assignment.connection[row + to]!;
      if (to === own || (connection <= most && connection <= mostBlocked)) continue;
      if (connection > most && assignment.accepts(vertex, to)) [best, most] = [to, connection];
      else if (connection > mostBlocked) [blocked, mostBlocked] = [to, connection];
    }
    if (mostBlocked > most && mostBlocked > 0) this.#waiting[blocked]!.push(vertex);
    return best;
  }
}

const REBALANCING_ROUNDS = 4;

/** Moves what costs least out of parts beyond their limits, wherever that makes them exceed less. */
function rebalance(assignment: Assignment): void {
  const { graph, parts } = assignment.problem;
  for (let round = 0; round < REBALANCING_ROUNDS && assignment.excess > 0; round++) {
    const before = assignment.excess;
    const heap = new GainHeap();
    for (let vertex = 0; vertex < graph.size; vertex++) {
      if (!assignment.isOver(assignment.part[vertex]!) && assignment.problem.groupsOf[vertex]!.length === 0)
        continue;
      let most = Number.NEGATIVE_INFINITY;
      for (let to = 0; to < parts; to++) most = Math.max(most, assignment.gain(vertex, to));
      heap.push(vertex, most);
    }
    while (!heap.isEmpty && assignment.excess > 0) relieve(assignment, heap.pop().vertex);
    if (assignment.excess >= before) return;
  }
}

/** Moves the vertex to the best of the parts that make the excess smaller. */
function relieve(assignment: Assignment, vertex: number): void {
  const { parts } = assignment.problem;
  const own = assignment.part[vertex]!;
  let best = { to: -1, excess: assignment.excess, cut: Number.NEGATIVE_INFINITY };
  for (let to = 0; to < parts; to++) {
    if (to === own) continue;
    const excess = assignment.excessAfter(vertex, to);
    const cut = assignment.cut - assignment.gain(vertex, to);
    if (excess < assignment.excess - SAME_EXCESS && isBetter({ excess, cut }, best))
      best = { to, excess, cut };
  }
  if (best.to !== -1) assignment.move(vertex, best.to);
}
