/** What stands between `${` and `}`: a name, or whole and decimal numbers with + - * / % and parentheses. */
import { quote } from '../../../model/diagnostics.ts';

export type Scalar = string | number | boolean;

/** Why it can't be calculated. `unknown`: the name that stands for nothing. */
export class CalculationError extends Error {
  readonly remedy: string;
  readonly unknown: string | undefined;
  constructor(message: string, remedy: string, unknown?: string) {
    super(message);
    this.remedy = remedy;
    this.unknown = unknown;
  }
}

const TOKEN = /\s*(?:(\d+(?:\.\d+)?)|([A-Za-z_]\w*)|([-+*/%()]))/y;
const MAX_TOKENS = 100;
const HOW = 'write a name, or numbers and names with + - * / % and parentheses';

/** The names in it; `undefined` if it is no expression. Shells have others between the same braces. */
export function namesIn(text: string): string[] | undefined {
  const tokens = tokensOf(text);
  return tokens?.filter((token) => /^[A-Za-z_]/.test(token));
}

/** A name alone has the value as it is; what is calculated is a number. Throws `CalculationError`. */
export function calculate(text: string, lookup: (name: string) => Scalar | undefined): Scalar {
  const tokens = tokensOf(text);
  if (!tokens) throw new CalculationError(`${quote(`\${${text}}`)} is no expression`, HOW);
  if (tokens.length === 1 && /^[A-Za-z_]/.test(tokens[0]!)) return valueNamed(tokens[0]!, lookup);
  const reader = new Reader(tokens, lookup);
  const result = reader.sum(0);
  if (!reader.isAtEnd) throw new CalculationError(`${quote(`\${${text}}`)} is no expression`, HOW);
  if (!Number.isFinite(result))
    throw new CalculationError(`${quote(`\${${text}}`)} has no value`, 'divide by something else than 0');
  return result;
}

/** As it is written in texts: six decimals at most, so that 0.1 + 0.2 is 0.3. */
export function scalarText(value: Scalar): string {
  return typeof value === 'number' ? String(Number(value.toFixed(6))) : String(value);
}

function tokensOf(text: string): string[] | undefined {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  const { length } = text.trimEnd();
  if (length === 0) return undefined;
  while (TOKEN.lastIndex < length) {
    const match = TOKEN.exec(text);
    if (!match || tokens.push(match[1] ?? match[2] ?? match[3]!) > MAX_TOKENS) return undefined;
  }
  return tokens;
}

function valueNamed(name: string, lookup: (name: string) => Scalar | undefined): Scalar {
  const value = lookup(name);
  if (value === undefined)
    throw new CalculationError(`there is no variable ${name}`, `declare it: vars: { ${name}: … }`, name);
  return value;
}

class Reader {
  readonly #tokens: readonly string[];
  readonly #lookup: (name: string) => Scalar | undefined;
  #at = 0;

  constructor(tokens: readonly string[], lookup: (name: string) => Scalar | undefined) {
    this.#tokens = tokens;
    this.#lookup = lookup;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#tokens.length;
  }

  sum(depth: number): number {
    let left = this.#product(depth);
    while (this.#peek() === '+' || this.#peek() === '-') {
      const sign = this.#take();
      const right = this.#product(depth);
      left = sign === '+' ? left + right : left - right;
    }
    return left;
  }

  #product(depth: number): number {
    let left = this.#factor(depth);
    while (this.#peek() === '*' || this.#peek() === '/' || this.#peek() === '%') {
      const sign = this.#take();
      const right = this.#factor(depth);
      // The remainder of a division by a positive number is never negative: a ring has no place -1.
      left = sign === '*' ? left * right : sign === '/' ? left / right : ((left % right) + right) % right;
    }
    return left;
  }

  #factor(depth: number): number {
    const token = this.#take();
    if (token === '-') return -this.#factor(depth);
    if (token === '(' && depth < MAX_TOKENS) {
      const inner = this.sum(depth + 1);
      if (this.#take() !== ')') throw new CalculationError('a parenthesis is not closed', HOW);
      return inner;
    }
    if (/^\d/.test(token)) return Number(token);
    if (/^[A-Za-z_]/.test(token)) return this.#number(token);
    throw new CalculationError(`"${token}" stands where a number or a name belongs`, HOW);
  }

  #number(name: string): number {
    const value = valueNamed(name, this.#lookup);
    const number = typeof value === 'string' && /^-?\d+(?:\.\d+)?$/.test(value) ? Number(value) : value;
    if (typeof number === 'number') return number;
    const remedy = `give ${name} a plain number, and write the unit after the braces: \${${name} * 2}ms`;
    throw new CalculationError(`${name} is no number that can be calculated with`, remedy);
  }

  #peek(): string | undefined {
    return this.#tokens[this.#at];
  }

  #take(): string {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new CalculationError('an expression ends too early', HOW);
    return token;
  }
}
