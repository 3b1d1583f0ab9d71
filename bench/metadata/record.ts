/** What applications sent: the input of the models. Plain data. */

/** From one endpoint to another. */
export interface PairRecord {
  readonly from: string;
  readonly to: string;
  /** Bytes of frames in each window. */
  readonly bytes: readonly number[];
}

export interface TrafficRecord {
  /** Names of all endpoints, also of those that send nothing. */
  readonly endpoints: readonly string[];
  /** How long each window was. */
  readonly windowsMs: readonly number[];
  readonly pairs: readonly PairRecord[];
}

/** Counters of all pairs at one time. A pair may occur more than once, once for each pair of its addresses. */
export interface Reading {
  readonly atMs: number;
  readonly counts: readonly { readonly from: string; readonly to: string; readonly bytes: number }[];
}

/** Readings, in order of time → the traffic between them. */
export function recordOf(endpoints: readonly string[], readings: readonly Reading[]): TrafficRecord {
  const windowsMs = readings.slice(1).map(({ atMs }, index) => atMs - readings[index]!.atMs);
  const pairs = new Map<string, { from: string; to: string; totals: number[] }>();
  for (const [index, { counts }] of readings.entries()) {
    for (const { from, to, bytes } of counts) {
      const key = `${from} ${to}`;
      const pair = pairs.get(key) ?? { from, to, totals: new Array<number>(readings.length).fill(0) };
      pair.totals[index]! += bytes;
      pairs.set(key, pair);
    }
  }
  const differences = (totals: readonly number[]): number[] =>
    totals.slice(1).map((total, index) => total - totals[index]!);
  return {
    endpoints,
    windowsMs,
    pairs: [...pairs.values()].map(({ from, to, totals }) => ({ from, to, bytes: differences(totals) })),
  };
}
