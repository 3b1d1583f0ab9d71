/** How much a value grows over the time of its samples, by the straight line with the least squares. Pure. */
export function growth(samples: readonly { readonly atMs: number; readonly value: number }[]): number {
  const count = samples.length;
  if (count < 2) return Number.NaN;
  const middle = samples.reduce((sum, { atMs }) => sum + atMs, 0) / count;
  const mean = samples.reduce((sum, { value }) => sum + value, 0) / count;
  let [across, square] = [0, 0];
  for (const { atMs, value } of samples) {
    across += (atMs - middle) * (value - mean);
    square += (atMs - middle) ** 2;
  }
  return (across / square) * (samples.at(-1)!.atMs - samples[0]!.atMs);
}
