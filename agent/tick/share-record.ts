/**
 * What flows might use when: each change of a local flow's share, with the time at which it was in force. Reaction is
 * judged by it, since traffic shows a share only after TCP has followed.
 */
import { Ring } from '../runlog/ring.ts';

/** Six flows that change in every tick fill it in two minutes; 1 MB. */
const CAPACITY = 16_384;

/** A flow by the numbers of its endpoints, and what it may use; `Infinity` without a limit. */
export interface LocalShare {
  readonly source: number;
  readonly destination: number;
  readonly ceilingBps: number;
}

export interface ShareEntry {
  readonly atMicros: number;
  readonly source: number;
  readonly destination: number;
  /** `Infinity` without a limit; 0: it is no flow any more. */
  readonly shareBps: number;
  readonly epoch: number;
}

interface Known {
  readonly source: number;
  readonly destination: number;
  shareBps: number;
  round: number;
}

export class ShareRecord {
  readonly #ring: Ring<ShareEntry>;
  /** Only of flows that there are. */
  readonly #known = new Map<string, Known>();
  #round = 0;

  constructor(capacity = CAPACITY) {
    this.#ring = new Ring(capacity);
  }

  /** Takes all shares that are in force from `atMicros` on, and keeps what differs from before. */
  note(shares: readonly LocalShare[], atMicros: number, epoch: number): void {
    const round = ++this.#round;
    for (const { source, destination, ceilingBps: shareBps } of shares) {
      const key = `${source} ${destination}`;
      const known = this.#known.get(key);
      if (known?.shareBps !== shareBps) this.#ring.push({ atMicros, source, destination, shareBps, epoch });
      if (known) {
        known.shareBps = shareBps;
        known.round = round;
      } else {
        this.#known.set(key, { source, destination, shareBps, round });
      }
    }
    for (const [key, { source, destination, round: seen }] of this.#known) {
      if (seen === round) continue;
      this.#known.delete(key);
      this.#ring.push({ atMicros, source, destination, shareBps: 0, epoch });
    }
  }

  get forgotten(): number {
    return this.#ring.forgotten;
  }

  /** Oldest first. */
  entries(): ShareEntry[] {
    return this.#ring.toArray();
  }
}
