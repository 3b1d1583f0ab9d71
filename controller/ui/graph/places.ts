/** Where the nodes of an experiment stand: computed once, moved by hand, and kept in this browser. */

import type { Network } from '../data/network.ts';
import { layOut, type Point } from './layout.ts';
import { type Arrangement, arrangementOf, onMap } from './map.ts';

/** A larger network is shown as a matrix and as a list. */
export const MOST_DRAWN = 1000;

export class Places {
  readonly #key: string;
  #places = new Map<string, Point>();

  constructor(experiment: string) {
    this.#key = `netfold places ${experiment}`;
  }

  get all(): ReadonlyMap<string, Point> {
    return this.#places;
  }

  /** Gives new nodes a place; the others stay where they are. */
  update(network: Network): void {
    const names = [...network.nodes.keys()];
    if (names.length === 0 || names.every((name) => this.#places.has(name))) return;
    const known = this.#places.size > 0 ? this.#places : this.#read();
    const missing = names.filter((name) => !known.has(name));
    // Of another topology of this name.
    if (missing.length * 2 > names.length) this.#places = fresh(names, network, arrangementOf(network));
    else {
      this.#places = new Map(names.flatMap((name) => (known.has(name) ? [[name, known.get(name)!]] : [])));
      for (const [index, name] of missing.entries())
        this.#places.set(name, this.#beside(name, index, network));
    }
    this.save();
  }

  move(name: string, to: Point): void {
    this.#places.set(name, to);
  }

  save(): void {
    const rows = [...this.#places].map(([name, { x, y }]) => [name, Math.round(x), Math.round(y)]);
    try {
      window.localStorage.setItem(this.#key, JSON.stringify(rows));
    } catch {
      // A browser that keeps nothing computes them again.
    }
  }

  /** Laid out anew: by their places on the earth, or by their links. */
  reset(network: Network, how: Arrangement): void {
    this.#places = fresh([...network.nodes.keys()], network, how);
    this.save();
  }

  #beside(name: string, index: number, network: Network): Point {
    const near = [...network.neighboursOf(name)].flatMap((other) => this.#places.get(other) ?? []);
    const number = Math.max(1, near.length);
    const x = near.reduce((sum, place) => sum + place.x, 0) / number;
    const y = near.reduce((sum, place) => sum + place.y, 0) / number;
    return { x: x + 70 * Math.cos(index), y: y + 70 * Math.sin(index) };
  }

  #read(): Map<string, Point> {
    try {
      const rows = JSON.parse(window.localStorage.getItem(this.#key) ?? '[]') as [string, number, number][];
      return new Map(rows.map(([name, x, y]) => [name, { x: Number(x), y: Number(y) }]));
    } catch {
      return new Map();
    }
  }
}

function fresh(nodes: readonly string[], network: Network, how: Arrangement): Map<string, Point> {
  if (how === 'map') return onMap(network);
  const { cables } = network;
  if (nodes.length > MOST_DRAWN) return new Map(nodes.map((name) => [name, { x: 0, y: 0 }]));
  const numbers = new Map(nodes.map((name, number) => [name, number]));
  const edges = cables.map(({ a, b }) => [numbers.get(a)!, numbers.get(b)!] as const);
  const places = layOut({ nodes, edges });
  return new Map(nodes.map((name, number) => [name, places[number]!]));
}
