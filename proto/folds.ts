/**
 * How one property of the links of a path becomes that of the path. Everything is computed in the order of the path, so that
 * every agent gets the same bits. Each kind of fold is a loop of its own: a path has few links, and one property's reads
 * stay of one sort for the compiler.
 */

/** `links`: indices into `all`, in order. Gives `undefined` where no link has anything to say. */
type FoldPath = (links: readonly number[], all: readonly object[]) => unknown;

/** A kind of fold; of a property, it makes the fold. */
export type Fold = (property: string) => FoldPath;

type Numbers = readonly Readonly<Record<string, number>>[];

/** Σ x. */
export const sum: Fold = (property) => (links, all) => {
  let total = 0;
  for (let at = 0; at < links.length; at++) total += (all as Numbers)[links[at]!]![property]!;
  return total;
};

/** √Σ x²: of deviations that are independent. */
export const rootOfSquares: Fold = (property) => (links, all) => {
  let squares = 0;
  for (let at = 0; at < links.length; at++) {
    const value = (all as Numbers)[links[at]!]![property]!;
    squares += value * value;
  }
  return Math.sqrt(squares);
};

/** 1 − Π(1 − x): of probabilities that are independent. */
export const anyOf: Fold = (property) => (links, all) => {
  let none = 1;
  let possible = 0;
  let only = 0;
  for (let at = 0; at < links.length; at++) {
    const value = (all as Numbers)[links[at]!]![property]!;
    none *= 1 - value;
    if (value === 0) continue;
    possible++;
    only = value;
  }
  // One alone keeps its exact value: 1 − (1 − 0.001) is not 0.001 in binary.
  return possible < 2 ? only : 1 - none;
};

/** The least of those that links have. */
export const least: Fold = (property) => (links, all) => {
  let found: number | undefined;
  for (let at = 0; at < links.length; at++) {
    const value = (all as Numbers)[links[at]!]![property];
    if (value !== undefined && (found === undefined || value < found)) found = value;
  }
  return found;
};

/** That of the only link whose `other` is not 0; where there are several, it is absent. */
export const ofTheOnly =
  (other: string): Fold =>
  (property) =>
  (links, all) => {
    let only: Readonly<Record<string, unknown>> | undefined;
    for (let at = 0; at < links.length; at++) {
      const link = (all as readonly Readonly<Record<string, unknown>>[])[links[at]!]!;
      if (link[other] === 0) continue;
      if (only) return undefined;
      only = link;
    }
    return only?.[property];
  };
