/** Which part each vertex is in, with everything that a move changes kept up to date. */
import { mayBeIn, type Problem, totalNeeds } from './problem.ts';

export class Assignment {
  readonly problem: Problem;
  /** Per vertex its part. */
  readonly part: Int32Array;
  /** Weight of the edges of a vertex to a part: `connection[v * parts + p]`. */
  readonly connection: Float64Array;
  /** Weight of the edges between different parts. */
  cut = 0;
  /** How far parts are beyond their limits; 0: everything fits. */
  excess = 0;

  readonly #loads: Float64Array;
  /** Per part: weight of the edges that leave it. */
  readonly #leaving: Float64Array;
  /** Per vertex: weight of all its edges. */
  readonly #degree: Float64Array;
  /** `members[p * groups + g]` */
  readonly #members: Int32Array;
  /** Per resource, and of the cut: what counts as an excess of 1. */
  readonly #scale: Float64Array;
  readonly #cutScale: number;
  /** Per resource the most that one vertex needs. */
  readonly #largest: Float64Array;

  /** `part` is changed by moves. */
  constructor(problem: Problem, part: Int32Array) {
    const { graph, parts, resources, groups } = problem;
    this.problem = problem;
    this.part = part;
    this.connection = new Float64Array(graph.size * parts);
    this.#loads = new Float64Array(parts * resources);
    this.#leaving = new Float64Array(parts);
    this.#degree = new Float64Array(graph.size);
    this.#members = new Int32Array(parts * groups);
    this.#largest = new Float64Array(resources);
    for (let vertex = 0; vertex < graph.size; vertex++) this.#add(vertex);
    const mean = (total: number): number => (total > 0 ? total / parts : 1);
    this.#scale = totalNeeds(problem).map((total, r) => problem.severity[r]! / mean(total));
    this.#cutScale = CUT_SEVERITY / mean(this.#degree.reduce((sum, one) => sum + one, 0));
    for (let one = 0; one < parts; one++) this.excess += this.#excessOf(one);
    for (const members of this.#members) this.excess += Math.max(0, members - 1) * TOGETHER_SEVERITY;
    this.cut = this.#leaving.reduce((sum, one) => sum + one, 0) / 2;
  }

  #add(vertex: number): void {
    const { graph, parts, resources, needs, groups, groupsOf } = this.problem;
    const own = this.part[vertex]!;
    for (let r = 0; r < resources; r++) {
      const need = needs[vertex * resources + r]!;
      this.#loads[own * resources + r]! += need;
      this.#largest[r] = Math.max(this.#largest[r]!, need);
    }
    for (const group of groupsOf[vertex]!) this.#members[own * groups + group]!++;
    for (let slot = graph.start[vertex]!; slot < graph.start[vertex + 1]!; slot++) {
      const other = this.part[graph.target[slot]!]!;
      const weight = graph.weight[slot]!;
      this.connection[vertex * parts + other]! += weight;
      this.#degree[vertex]! += weight;
      if (other !== own) this.#leaving[own]! += weight;
    }
  }

  load(part: number, resource: number): number {
    return this.#loads[part * this.problem.resources + resource]!;
  }

  leaving(part: number): number {
    return this.#leaving[part]!;
  }

  gain(vertex: number, to: number): number {
    const row = vertex * this.problem.parts;
    return this.connection[row + to]! - this.connection[row + this.part[vertex]!]!;
  }

  isOver(part: number): boolean {
    return this.#excessOf(part) > 0;
  }

  /**
   * Whether `to` takes the vertex: with at most one large vertex too much, so that two can change places. What belongs to
   * other parts, or apart from what is there, never fits.
   */
  accepts(vertex: number, to: number): boolean {
    const { resources, needs, limits } = this.problem;
    if (!this.#mayMove(vertex, to)) return false;
    for (let r = 0; r < resources; r++) {
      const need = needs[vertex * resources + r]!;
      const limit = limits[to * resources + r]!;
      if (need > 0 && this.#loads[to * resources + r]! + need > limit + this.#largest[r]!) return false;
    }
    return true;
  }

  #mayMove(vertex: number, to: number): boolean {
    const { groups, groupsOf } = this.problem;
    if (!mayBeIn(this.problem, vertex, to)) return false;
    return groupsOf[vertex]!.every((group) => this.#members[to * groups + group] === 0);
  }

  /** What `excess` would be after a move; infinite where the vertex may not be. */
  excessAfter(vertex: number, to: number): number {
    if (!this.#mayMove(vertex, to)) return Number.POSITIVE_INFINITY;
    const from = this.part[vertex]!;
    const together = this.#togetherLess(vertex, from);
    const before = this.#excessOf(from) + this.#excessOf(to);
    this.#shift(vertex, from, to);
    const after = this.#excessOf(from) + this.#excessOf(to);
    this.#shift(vertex, to, from);
    return this.excess + after - before - together;
  }

  move(vertex: number, to: number): void {
    const { graph, parts, groups, groupsOf } = this.problem;
    const from = this.part[vertex]!;
    this.cut -= this.gain(vertex, to);
    this.excess -= this.#excessOf(from) + this.#excessOf(to) + this.#togetherLess(vertex, from);
    this.#shift(vertex, from, to);
    for (const group of groupsOf[vertex]!) {
      this.#members[from * groups + group]!--;
      const members = ++this.#members[to * groups + group]!;
      if (members > 1) this.excess += TOGETHER_SEVERITY;
    }
    this.excess += this.#excessOf(from) + this.#excessOf(to);
    if (this.excess < NOISE) this.excess = 0;
    this.part[vertex] = to;
    for (let slot = graph.start[vertex]!; slot < graph.start[vertex + 1]!; slot++) {
      const row = graph.target[slot]! * parts;
      this.connection[row + from]! -= graph.weight[slot]!;
      this.connection[row + to]! += graph.weight[slot]!;
    }
  }

  /** By how much the excess shrinks when the vertex leaves those of its groups that are with it. */
  #togetherLess(vertex: number, from: number): number {
    const { groups, groupsOf } = this.problem;
    let less = 0;
    for (const group of groupsOf[vertex]!)
      if (this.#members[from * groups + group]! > 1) less += TOGETHER_SEVERITY;
    return less;
  }

  /** Loads, and edges that leave the two parts; others see no difference. */
  #shift(vertex: number, from: number, to: number): void {
    const { parts, resources, needs } = this.problem;
    for (let r = 0; r < resources; r++) {
      const need = needs[vertex * resources + r]!;
      this.#loads[from * resources + r]! -= need;
      this.#loads[to * resources + r]! += need;
    }
    // Edges to `from` begin to leave it, all others of the vertex no longer do; those to `to` the other way round.
    const degree = this.#degree[vertex]!;
    this.#leaving[from]! += 2 * this.connection[vertex * parts + from]! - degree;
    this.#leaving[to]! += degree - 2 * this.connection[vertex * parts + to]!;
  }

  #excessOf(part: number): number {
    const { resources, limits, cutLimits } = this.problem;
    let excess = 0;
    for (let r = 0; r < resources; r++) {
      const over = this.#loads[part * resources + r]! - limits[part * resources + r]!;
      if (over > NOISE) excess += over * this.#scale[r]!;
    }
    const over = this.#leaving[part]! - cutLimits[part]!;
    return over > 0 ? excess + over * this.#cutScale : excess;
  }
}

/** Sums of fractions, such as a tenth of a core, are off by less. */
const NOISE = 1e-9;
/** As of a hard limit. */
const CUT_SEVERITY = 100;
/** Of two of a group in one part. */
const TOGETHER_SEVERITY = 100;
