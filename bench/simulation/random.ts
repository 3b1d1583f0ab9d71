/** Seeded random numbers: the same in every run. */
export interface Random {
  /** 0 up to, without, 1. */
  next(): number;
  /** A whole number from 0 up to, without, `end`. */
  below(end: number): number;
}

/** Mulberry32 (Tommy Ettinger, public domain): 32 bits of state, good enough to lose packets by. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, below: (end) => Math.floor(next() * end) };
}
