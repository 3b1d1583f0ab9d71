/** What the usage stage needs from the kernel: counters per pair of endpoints. */

/**
 * What pairs have sent since the last read, one row per pair of addresses that has: a pair of dual-stack endpoints may
 * have two, and most pairs have none. Valid until the next read.
 */
export interface UsageRows {
  readonly count: number;
  /** Number of the source endpoint; -1 where the addresses are nobody's (yet). */
  readonly source: Int32Array;
  readonly destination: Int32Array;
  /** Bytes of frames, as tc counts them. */
  readonly bytes: Float64Array;
}

export interface UsageReader {
  /** Costs as much as there are pairs that have sent since the last time. */
  read(): UsageRows;
  /** Tells which endpoint has an address; replaces what was told before. */
  setEndpoints(numberOfAddress: ReadonlyMap<string, number>): void;
}
