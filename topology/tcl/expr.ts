/** The grammar of `expr`: a text → a function that computes its value, for as often as it is asked. */
import { TclError, wrongArgs } from './errors.ts';
import { joinLines } from './escapes.ts';
import { isTrue, parseNumber, type Value } from './numbers.ts';
import { BINARY, FUNCTIONS, UNARY } from './operators.ts';
import { closingBrace, type Part, parseOperand } from './parse.ts';

/** What an expression needs from who evaluates it. */
export interface Operands {
  substitute(parts: readonly Part[]): string;
  random(): number;
  seed(value: bigint): void;
}

export type Expression = (operands: Operands) => Value;

/** Operators of one expression: each may be a call in another when it is evaluated. */
const MAX_OPERATORS = 250;
const OPERATOR = /\*\*|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%<>&^|?:]|(?:eq|ne|in|ni)(?![\w(])/y;
const NUMBER = /0[xX][\da-fA-F]+|0[bB][01]+|0[oO][0-7]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const WORD = /[A-Za-z_][\w:]*/y;
const BLANK = /(?:\s|\\\n)*/y;
const REMEDY = 'write e.g. $i + 1, and put variables and texts into braces or quotes';

/** Throws `TclError`. */
export function parseExpression(text: string): Expression {
  const parser = new Parser(text);
  const expression = parser.ternary();
  parser.requireEnd();
  return expression;
}

class Parser {
  readonly #text: string;
  #at = 0;
  #operators = 0;

  constructor(text: string) {
    this.#text = text;
  }

  requireEnd(): void {
    this.#skip();
    if (this.#at < this.#text.length) throw this.#error(`unexpected "${this.#rest()}"`);
  }

  ternary(): Expression {
    const condition = this.#or();
    if (!this.#take('?')) return condition;
    this.#count();
    const yes = this.ternary();
    if (!this.#take(':')) throw this.#error('missing operator ":" after "?"');
    const no = this.ternary();
    return (operands) => (isTrue(condition(operands)) ? yes(operands) : no(operands));
  }

  #or(): Expression {
    let left = this.#and();
    while (this.#take('||')) {
      this.#count();
      const [a, b] = [left, this.#and()];
      left = (operands) => (isTrue(a(operands)) || isTrue(b(operands)) ? 1n : 0n);
    }
    return left;
  }

  #and(): Expression {
    let left = this.#binary(3);
    while (this.#take('&&')) {
      this.#count();
      const [a, b] = [left, this.#binary(3)];
      left = (operands) => (isTrue(a(operands)) && isTrue(b(operands)) ? 1n : 0n);
    }
    return left;
  }

  /** Operators that bind at least so tightly. */
  #binary(least: number): Expression {
    let left = this.#unary();
    for (;;) {
      const operator = this.#peek();
      const found = operator !== undefined && Object.hasOwn(BINARY, operator) ? BINARY[operator]! : undefined;
      if (!found || found.level < least) return left;
      this.#at += operator!.length;
      this.#count();
      const { level, compute } = found;
      // Powers bind to the right.
      const [a, b] = [left, this.#binary(operator === '**' ? level : level + 1)];
      left = (operands) => compute(a(operands), b(operands));
    }
  }

  #unary(): Expression {
    this.#skip();
    const char = this.#text[this.#at] ?? '';
    if (char !== '!' && !Object.hasOwn(UNARY, char)) return this.#operand();
    this.#at++;
    this.#count();
    const value = this.#unary();
    if (char === '!') return (operands) => (isTrue(value(operands)) ? 0n : 1n);
    const compute = UNARY[char]!;
    return (operands) => compute(value(operands));
  }

  #operand(): Expression {
    const char = this.#text[this.#at];
    if (char === undefined) throw this.#error('the expression ends too early');
    if (char === '(') return this.#parenthesis();
    if (char === '$' || char === '[' || char === '"') {
      const { parts, next } = parseOperand(this.#text, this.#at);
      this.#at = next;
      return (operands) => operands.substitute(parts);
    }
    if (char === '{') {
      const end = closingBrace(this.#text, this.#at);
      const text = joinLines(this.#text.slice(this.#at + 1, end));
      this.#at = end + 1;
      return () => text;
    }
    const digits = this.#match(NUMBER);
    if (digits !== undefined) {
      const value = parseNumber(digits);
      if (value === undefined) throw this.#error(`"${digits}" is no number`);
      return () => value;
    }
    const word = this.#match(WORD);
    if (word === undefined) throw this.#error(`unexpected "${this.#rest()}"`);
    return this.#take('(') ? this.#call(word) : this.#bareword(word);
  }

  #parenthesis(): Expression {
    this.#at++;
    this.#count();
    const inner = this.ternary();
    if (!this.#take(')')) throw this.#error('missing close-parenthesis');
    return inner;
  }

  #bareword(word: string): Expression {
    if (/^(?:t(?:rue|ru|r)?|f(?:alse|als|al|a)?|y(?:es|e)?|no?|on|off?|inf(?:inity)?|nan)$/i.test(word))
      return () => word;
    throw this.#error(`invalid bareword "${word}"`, `write $${word}, {${word}} or "${word}"`);
  }

  #call(name: string): Expression {
    const given: Expression[] = [];
    this.#count();
    if (!this.#take(')')) {
      do given.push(this.ternary());
      while (this.#take(','));
      if (!this.#take(')')) throw this.#error('missing close-parenthesis');
    }
    if (name === 'rand' && given.length === 0) return (operands) => operands.random();
    if (name === 'srand' && given.length === 1)
      return (operands) => {
        const seed = FUNCTIONS.entier!.call([given[0]!(operands)]);
        operands.seed(seed as bigint);
        return operands.random();
      };
    const found = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name]! : undefined;
    if (!found) throw this.#error(`unknown math function "${name}"`, 'use functions of mathfunc(n)');
    const { count, call } = found;
    if (count !== undefined && given.length !== count)
      throw wrongArgs(`${name}(${Array.from({ length: count }, (_, index) => `x${index + 1}`).join(', ')})`);
    return (operands) => call(given.map((one) => one(operands)));
  }

  #take(token: string): boolean {
    if (this.#peek() !== token && !(token.length === 1 && '(),'.includes(token) && this.#isNext(token)))
      return false;
    this.#at += token.length;
    return true;
  }

  #isNext(char: string): boolean {
    this.#skip();
    return this.#text[this.#at] === char;
  }

  /** The next operator. */
  #peek(): string | undefined {
    this.#skip();
    OPERATOR.lastIndex = this.#at;
    return OPERATOR.exec(this.#text)?.[0];
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #skip(): void {
    BLANK.lastIndex = this.#at;
    BLANK.test(this.#text);
    this.#at = BLANK.lastIndex;
  }

  #count(): void {
    if (++this.#operators > MAX_OPERATORS)
      throw this.#error(`there are more than ${MAX_OPERATORS} operators`, 'compute it in several steps');
  }

  #rest(): string {
    return this.#text.slice(this.#at, this.#at + 20);
  }

  #error(message: string, remedy = REMEDY): TclError {
    const shown = this.#text.length > 60 ? `${this.#text.slice(0, 60)}…` : this.#text;
    return new TclError(`${message} in expression "${shown}"`, remedy);
  }
}
