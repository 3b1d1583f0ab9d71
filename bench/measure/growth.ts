import { median } from './statistics.ts';

/**
 * How much a value grows over the time of its samples: by the median of the slopes between any two of them (Theil and Sen). Memory of V8
 * falls by a fifth now and then, when the heap is compacted, and comes back within minutes: a line of least squares says when that was.
 * A step that stays counts, as does what grows all the time. Pure.
 */
export function growth(samples: readonly { readonly atMs: number; readonly value: number }[]): number {
  if (samples.length < 2) return Number.NaN;
  const slopes = new Float64Array((samples.length * (samples.length - 1)) / 2);
  let at = 0;
  for (const [index, later] of samples.entries())
    for (let before = 0; before < index; before++) {
      const { atMs, value } = samples[before]!;
      slopes[at++] = (later.value - value) / (later.atMs - atMs);
    }
  return median(slopes) * (samples.at(-1)!.atMs - samples[0]!.atMs);
}
