/**
 * The distributions of jitter as quantiles, for the delay line and netem. Mean 0 and deviation 1, so that a link's
 * `jitter` is the standard deviation in every distribution.
 *
 *   normal    as the error of many small queues
 *   uniform   from −√3 to √3
 *   pareto    shape 3, shifted: mostly a little early, seldom very late. Shapes up to 2 have no deviation at all.
 *   others    quantiles of the user's own, linear in between
 *
 * No value is further from the mean than netem's tables can express, 32,767 / 8,192 deviations. Values beyond, 2 % of
 * pareto, become that limit; the rest is stretched so that mean and deviation are exact afterwards.
 */
import type { Distribution, PacketImpairment } from '../../proto/impairment.ts';
import { quantilesOf } from '../../proto/models.ts';

/** Deviation in units of a table's values: NETEM_DIST_SCALE in linux/pkt_sched.h. */
export const NETEM_SCALE = 8192;
/** Values of a table: normal ones then reach 3.7 deviations. netem takes up to 16,384. */
const COUNT = 4096;
const MAX = 32_767 / NETEM_SCALE;
const PARETO_SHAPE = 3;
/** Clipping and stretching in turn converge; each round leaves a fraction of the previous error. */
const ROUNDS = 100;

/** A distribution by its name or by its quantiles. */
export type Shape = Distribution | `quantiles ${string}`;
const OWN = 'quantiles ';

/** Of the jitter of a path. */
export function jitterShape({
  distribution = 'normal',
  quantiles: own,
}: Pick<PacketImpairment, 'distribution' | 'quantiles'>): Shape {
  return own === undefined ? distribution : `${OWN}${own}`;
}

const cached = new Map<Shape, Float64Array>();

/** 4,096 equally probable values in ascending order, mean 0, deviation 1. Must not be modified. */
export function quantiles(shape: Shape): Float64Array {
  const known = cached.get(shape);
  if (known) return known;
  const at = quantileOf(shape);
  const values = Float64Array.from({ length: COUNT }, (_, index) => at((index + 0.5) / COUNT));
  for (let round = 0; round < ROUNDS; round++) {
    standardise(values);
    if (values[0]! >= -MAX && values[COUNT - 1]! <= MAX) break;
    for (let i = 0; i < COUNT; i++) values[i] = Math.min(MAX, Math.max(-MAX, values[i]!));
  }
  cached.set(shape, values);
  return values;
}

/**
 * The table for TCA_NETEM_DELAY_DIST. With it, netem delays by `latency + sigma / 8,192 × t`: t is any of the values
 * with equal probability, and sigma is netem's jitter (tabledist in net/sched/sch_netem.c), so sigma is the
 * deviation. Without a table it would draw uniformly within ± sigma, whose deviation is sigma / √3; therefore each
 * distribution has a table.
 */
export function netemTable(shape: Shape): Int16Array {
  return Int16Array.from(quantiles(shape), (value) => Math.round(value * NETEM_SCALE));
}

/** Maps a standard normal value to the value of equal probability in the distribution: continuous and ascending. */
export function shaped(shape: Shape, normal: number): number {
  return shape === 'normal' ? normal : between(quantiles(shape), normalCumulative(normal));
}

/** The value of a probability, given those in the middles of parts of equal probability. */
function between(values: ArrayLike<number>, probability: number): number {
  const at = probability * values.length - 0.5;
  if (at <= 0) return values[0]!;
  if (at >= values.length - 1) return values[values.length - 1]!;
  const index = Math.floor(at);
  return values[index]! + (at - index) * (values[index + 1]! - values[index]!);
}

function quantileOf(shape: Shape): (probability: number) => number {
  switch (shape) {
    case 'normal':
      return normalQuantile;
    case 'uniform':
      return (probability) => probability;
    case 'pareto':
      return (probability) => (1 - probability) ** (-1 / PARETO_SHAPE);
    default: {
      const own = quantilesOf(shape.slice(OWN.length));
      return (probability) => between(own, probability);
    }
  }
}

function standardise(values: Float64Array): void {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  const deviation = Math.sqrt(squares / values.length);
  for (let i = 0; i < values.length; i++) values[i] = (values[i]! - mean) / deviation;
}

// The standard normal distribution.

/** Beyond, the probability differs from 0 or 1 by less than 10⁻¹⁵. */
const FARTHEST = 8;
const DENSITY_AT_ZERO = 1 / Math.sqrt(2 * Math.PI);
/** Newton's method from 0 takes at most a dozen steps within the tables' range. */
const STEPS = 60;

/**
 * Probability of values below `z`, within 10⁻¹⁴. The series ½ + φ(z)(z + z³/3 + z⁵/(3·5) + …): Marsaglia, "Evaluating the
 * Normal Distribution", Journal of Statistical Software 11 (2004). About 20 terms near 0, 100 at 5.
 */
export function normalCumulative(z: number): number {
  if (z >= FARTHEST) return 1;
  if (z <= -FARTHEST) return 0;
  let term = z;
  let sum = z;
  for (let odd = 3; sum + term !== sum; odd += 2) {
    term *= (z * z) / odd;
    sum += term;
  }
  return 0.5 + sum * density(z);
}

/** The value below which normal values are with `probability`, 0 < probability < 1. */
export function normalQuantile(probability: number): number {
  // The curve flattens away from 0, so Newton's steps that start there never overshoot.
  let z = 0;
  for (let step = 0; step < STEPS; step++) {
    const next = z - (normalCumulative(z) - probability) / density(z);
    if (next === z) break;
    z = next;
  }
  return z;
}

function density(z: number): number {
  return DENSITY_AT_ZERO * Math.exp((-z * z) / 2);
}
