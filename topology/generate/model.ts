/** What a shape is made of before links get their properties. Plain data. */
import type { SeededRandom } from '../model/random.ts';

/** Two ends and where between the ends of the latency range the link lies, 0..1; absent: it is drawn. */
export interface Wire {
  readonly from: string;
  readonly to: string;
  readonly distance?: number;
}

export interface Wiring {
  readonly services: readonly string[];
  readonly bridges: readonly string[];
  readonly wires: readonly Wire[];
  /** Who talks to whom where the shape has sides: source and destination; absent: drawn. */
  readonly partners?: readonly (readonly [string, string])[];
}

/** Sizes and probabilities of all shapes; each uses its own. */
export interface ShapeOptions {
  /** What it counts is the shape's; absent where another option gives the size. */
  readonly nodes?: number;
  /** Links that each new node brings along (scale-free). */
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
  /** What `nodes` counts, and who is linked to whom. */
  readonly explanation: string;
  readonly uses: readonly ShapeOptionName[];
  /** Connected always. Throws `GenerateError` for sizes that don't work. */
  wire(options: ShapeOptions, random: SeededRandom): Wiring;
}

/** `n0`, `n1`, … */
export function numbered(letter: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${letter}${index}`);
}
