/** What the usage stage needs from the kernel: counters per pair of endpoints. */

/**
 * What pairs have sent since the last reading, one row per pair of addresses that has sent: a pair of dual-stack
 * endpoints may have two, and most pairs have none. Valid until the next reading.
 */
export interface UsageRows {
  readonly count: number;
  /** Number of the source endpoint, and of the path (proto/lanes.ts); -1 if no endpoint has the address (yet). */
  readonly source: Int32Array;
  readonly destination: Int32Array;
  /** Bytes of frames, as tc counts them, and how many frames. */
  readonly bytes: Float64Array;
  readonly frames: Float64Array;
}

export interface UsageReader {
  /** The cost is proportional to the number of pairs that have sent since the last reading. */
  read(): UsageRows;
  /** Sets which endpoint has each address; replaces the earlier setting. Only traffic between these addresses is counted. */
  setEndpoints(numberOfAddress: ReadonlyMap<string, number>): void;
  /** Frames between endpoints that were not counted so far: more pairs were in use at a time than there is room for. */
  uncounted(): number;
  /** Addresses of endpoints that found no room: what they send, and what is sent to them, is not counted. */
  readonly unlisted: number;
}
