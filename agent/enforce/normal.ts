/** The standard normal distribution: how probable values below a limit are, and the other way round. Pure. */

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
