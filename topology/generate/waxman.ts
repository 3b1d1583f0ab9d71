/**
 * Random networks in a plane (Waxman, "Routing of multipoint connections", IEEE JSAC 6, 1988): bridges lie at random
 * points of a square, and two of them are linked with the probability β exp(−distance / (α L)), with the diagonal L.
 */
import { MAX_EDGES } from '../model/limits.ts';
import type { SeededRandom } from '../model/random.ts';
import { GenerateError, sizeError } from './errors.ts';
import { numbered, type Shape, type ShapeOptions, type Wire, type Wiring } from './model.ts';

/** All pairs are computed. */
const MAX_NODES = 5000;
/** Points lie on a lattice with so many steps per side, so that no host rounds them differently. */
const STEPS = 2 ** 20;
const DIAGONAL = Math.SQRT2 * STEPS;

export const waxman: Shape = {
  name: 'waxman',
  summary: 'random links in a plane, short ones more likely (Waxman)',
  explanation: `--nodes counts services, and bridges: there are as many. Bridges lie anywhere in a square; a pair is linked with the
probability beta × exp(−distance / (alpha × diagonal)), so a greater --alpha makes long links likelier and a greater
--beta makes all of them so. The latency of a link is its distance: the lower end of --latency is none, the upper end
the diagonal. What chance left apart is joined by its shortest link.`,
  uses: ['alpha', 'beta'],
  wire,
};

function wire({ nodes = 0, alpha, beta }: ShapeOptions, random: SeededRandom): Wiring {
  checkRatio('alpha', alpha);
  checkRatio('beta', beta);
  if (nodes < 2 || nodes > MAX_NODES)
    throw sizeError(nodes, nodes < 2 ? 'that is too few' : 'that is too many', `2 to ${MAX_NODES}`);
  const plane = new Plane(nodes, random);
  const wires = plane.drawLinks(alpha, beta, random);
  wires.push(...plane.joinParts());
  const services = numbered('n', nodes);
  wires.push(...services.map((from, index) => ({ from, to: `b${index}` })));
  return { services, bridges: numbered('b', nodes), wires };
}

function checkRatio(name: 'alpha' | 'beta', value: number): void {
  if (value > 0 && value <= 1) return;
  const message = `--${name} ${value} does not work: it is a part of one`;
  throw new GenerateError('GENERATE_NUMBER', message, 'use a number above 0, up to 1, e.g. 0.2');
}

class Plane {
  readonly #x: Float64Array;
  readonly #y: Float64Array;
  /** Union-find over the links so far. */
  readonly #part: Int32Array;

  constructor(nodes: number, random: SeededRandom) {
    this.#x = Float64Array.from({ length: nodes }, () => random.below(STEPS));
    this.#y = Float64Array.from({ length: nodes }, () => random.below(STEPS));
    this.#part = Int32Array.from({ length: nodes }, (_, node) => node);
  }

  drawLinks(alpha: number, beta: number, random: SeededRandom): Wire[] {
    const wires: Wire[] = [];
    for (let a = 0; a < this.#x.length; a++) {
      for (let b = a + 1; b < this.#x.length; b++) {
        const chance = beta * Math.exp(-this.#distance(a, b) / (alpha * DIAGONAL));
        if (random.below(STEPS) < chance * STEPS) wires.push(this.#link(a, b));
      }
      if (wires.length > MAX_EDGES / 2) throw tooMany();
    }
    return wires;
  }

  /** Links every part to the first node's by the shortest possible link, nearest part first (Prim's algorithm). */
  joinParts(): Wire[] {
    const nodes = this.#x.length;
    const nearest = new Int32Array(nodes).fill(-1);
    const inside = new Uint8Array(nodes);
    const joining: [number, number][] = [];
    for (let root = this.#root(0); root !== -1; ) {
      this.#take(root, inside, nearest);
      const best = this.#nearestOutside(inside, nearest);
      if (best === -1) break;
      root = this.#root(best);
      joining.push([best, nearest[best]!]);
    }
    return joining.map(([a, b]) => this.#link(a, b));
  }

  /** Adds a part; `nearest` then contains, for each node outside, the nearest node inside. */
  #take(root: number, inside: Uint8Array, nearest: Int32Array): void {
    const members = numbers(inside.length).filter((node) => !inside[node] && this.#root(node) === root);
    for (const node of members) inside[node] = 1;
    for (let node = 0; node < inside.length; node++) {
      if (inside[node]) continue;
      for (const other of members) if (this.#isNearer(node, other, nearest[node]!)) nearest[node] = other;
    }
  }

  #nearestOutside(inside: Uint8Array, nearest: Int32Array): number {
    let best = -1;
    for (let node = 0; node < inside.length; node++) {
      if (inside[node]) continue;
      if (best === -1 || this.#distance(node, nearest[node]!) < this.#distance(best, nearest[best]!))
        best = node;
    }
    return best;
  }

  #isNearer(node: number, other: number, nearest: number): boolean {
    return nearest === -1 || this.#distance(node, other) < this.#distance(node, nearest);
  }

  #link(a: number, b: number): Wire {
    this.#part[this.#root(a)] = this.#root(b);
    return { from: `b${a}`, to: `b${b}`, distance: this.#distance(a, b) / DIAGONAL };
  }

  /** Square roots are exact to the last bit on every machine; Math.hypot need not be. */
  #distance(a: number, b: number): number {
    const [dx, dy] = [this.#x[a]! - this.#x[b]!, this.#y[a]! - this.#y[b]!];
    return Math.sqrt(dx * dx + dy * dy);
  }

  #root(node: number): number {
    let at = node;
    while (this.#part[at] !== at) {
      this.#part[at] = this.#part[this.#part[at]!]!;
      at = this.#part[at]!;
    }
    return at;
  }
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, number) => number);
}

function tooMany(): GenerateError {
  const message = `--alpha and --beta give more links than ${MAX_EDGES / 2}`;
  return new GenerateError('GENERATE_LIMIT', message, 'use a smaller --beta');
}
