/** Nodes and links of a shape, before links get their properties. Plain data. */
import type { SeededRandom } from '../model/random.ts';

/** Two ends, and the position of the link's latency within its range, 0..1; absent: random. */
export interface Wire {
  readonly from: string;
  readonly to: string;
  readonly distance?: number;
}

export interface Wiring {
  readonly services: readonly string[];
  readonly bridges: readonly string[];
  readonly wires: readonly Wire[];
  /** Source and destination of the traffic, if the shape has two sides (as a dumbbell has); absent: random. */
  readonly partners?: readonly (readonly [string, string])[];
}

/** Sizes and probabilities of all shapes; each uses its own. */
export interface ShapeOptions {
  /** Each shape defines what it counts; absent if another option gives the size. */
  readonly nodes?: number;
  /** How many links each new node has (scale-free). */
  readonly attach: number;
  readonly fanout: number;
  readonly columns?: number;
  readonly pods?: number;
  readonly alpha: number;
  readonly beta: number;
}

export type ShapeOptionName = Exclude<keyof ShapeOptions, 'nodes'>;

export interface Shape {
  readonly name: string;
  readonly summary: string;
  /** What `nodes` counts, and which nodes are linked. */
  readonly explanation: string;
  readonly uses: readonly ShapeOptionName[];
  /** Always connected. Throws `GenerateError` for invalid sizes. */
  wire(options: ShapeOptions, random: SeededRandom): Wiring;
}

/** `n0`, `n1`, … */
export function numbered(letter: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${letter}${index}`);
}
