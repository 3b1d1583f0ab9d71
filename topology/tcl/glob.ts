/** `string match`: `*`, `?`, `[a-z]` and backslashes. */
import type { Budget } from './budget.ts';

/** Takes time in the product of both lengths at most, which the budget pays. */
export function globMatches(budget: Budget, pattern: string, text: string, ignoresCase = false): boolean {
  const [p, t] = ignoresCase ? [pattern.toLowerCase(), text.toLowerCase()] : [pattern, text];
  let [at, place] = [0, 0];
  // Where the last star stands, and what it has taken: only that one needs to take more.
  let [star, taken] = [-1, 0];
  for (let work = 1; place < t.length; work++) {
    if (work % 256 === 0) budget.spend(4);
    const next = p[at] === '*' ? undefined : single(p, at, t[place]!);
    if (p[at] === '*') {
      [star, taken] = [at++, place];
    } else if (next !== undefined) {
      at = next;
      place++;
    } else if (star !== -1) {
      at = star + 1;
      place = ++taken;
    } else return false;
  }
  while (p[at] === '*') at++;
  return at >= p.length;
}

/** Where the pattern goes on after one character; `undefined`: the character does not match. */
function single(p: string, at: number, char: string): number | undefined {
  const here = p[at];
  if (here === undefined) return undefined;
  if (here === '?') return at + 1;
  if (here === '[') return ofClass(p, at + 1, char);
  if (here === '\\' && at + 1 < p.length) return p[at + 1] === char ? at + 2 : undefined;
  return here === char ? at + 1 : undefined;
}

function ofClass(p: string, start: number, char: string): number | undefined {
  let isIn = false;
  let at = start;
  for (; at < p.length && p[at] !== ']'; at++) {
    const first = p[at]!;
    if (p[at + 1] === '-' && at + 2 < p.length && p[at + 2] !== ']') {
      const last = p[at + 2]!;
      const [low, high] = first <= last ? [first, last] : [last, first];
      if (char >= low && char <= high) isIn = true;
      at += 2;
    } else if (first === char) isIn = true;
  }
  return isIn ? at + 1 : undefined;
}
