/** Regular expressions that a script has used already are not compiled again. */
import { TclError } from '../errors.ts';
import type { Interpreter } from '../interpreter.ts';
import { Matcher } from '../regexp/matcher.ts';
import { RegexpError } from '../regexp/syntax.ts';

const KEPT = new WeakMap<Interpreter, Map<string, Matcher>>();
const MAX_KEPT = 50;

/** Throws `TclError`. */
export function matcherOf(
  tcl: Interpreter,
  pattern: string,
  ignoresCase: boolean,
  isByLine = false,
): Matcher {
  const kept = KEPT.get(tcl) ?? new Map<string, Matcher>();
  KEPT.set(tcl, kept);
  const key = `${ignoresCase ? 'i' : ''}${isByLine ? 'n' : ''}:${pattern}`;
  const known = kept.get(key);
  if (known) return known;
  tcl.budget.spend(pattern.length);
  try {
    const matcher = new Matcher(pattern, { ignoresCase, isByLine });
    if (kept.size >= MAX_KEPT) kept.clear();
    kept.set(key, matcher);
    return matcher;
  } catch (error) {
    if (!(error instanceof RegexpError)) throw error;
    throw new TclError(`couldn't compile regular expression pattern: ${error.message}`, 'see re_syntax(n)');
  }
}
