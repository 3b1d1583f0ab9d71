/** Sums over the entries of a set. They depend neither on the order of the entries nor on earlier ones. */

export interface Digest {
  readonly entries: number;
  /** Halves of a 64-bit sum. */
  readonly low: number;
  readonly high: number;
}

export const EMPTY_DIGEST: Digest = { entries: 0, low: 0, high: 0 };

export function sameDigest(a: Digest, b: Digest): boolean {
  return a.entries === b.entries && a.low === b.low && a.high === b.high;
}

/** A 64-bit sum; the set itself knows how many entries it has. */
export class RunningSum {
  #low = 0;
  #high = 0;

  get low(): number {
    return this.#low;
  }

  get high(): number {
    return this.#high;
  }

  /** `sign` -1 takes an entry out again. */
  add(low: number, high: number, sign: 1 | -1): void {
    this.#low = (this.#low + sign * low) >>> 0;
    this.#high = (this.#high + sign * high) >>> 0;
  }

  addText(text: string, sign: 1 | -1): void {
    let low = TEXT_LOW;
    let high = TEXT_HIGH;
    for (let at = 0; at < text.length; at++) {
      low = mix(low + text.charCodeAt(at));
      high = mix(high + text.charCodeAt(at));
    }
    this.add(low, high, sign);
  }
}

/** Arbitrary and different, so that the two halves are independent. */
const TEXT_LOW = 0x510e527f;
const TEXT_HIGH = 0x9b05688c;

/** The finalizer of MurmurHash3: every bit of the argument changes half of the result's. */
export function mix(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
