/**
 * The grammar of regular expressions, re_syntax(n): a text → a tree. Those that take no fixed time for a character (references
 * back to what was matched, and looking ahead) are refused.
 */

/** A text that is no regular expression, or none that is matched here. */
export class RegexpError extends Error {}

/** A place between characters: its name as an escape, or `^` and `$`. */
export type Assertion = '^' | '$' | 'A' | 'Z' | 'm' | 'M' | 'y' | 'Y';

export type CharTest = (char: string) => boolean;

export type Tree =
  | { readonly kind: 'empty' }
  | { readonly kind: 'char'; readonly test: CharTest }
  | { readonly kind: 'assert'; readonly what: Assertion }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Tree[] }
  | { readonly kind: 'group'; readonly number: number; readonly of: Tree }
  | {
      readonly kind: 'repeat';
      readonly of: Tree;
      readonly least: number;
      /** Absent: any number. */
      readonly most?: number;
      readonly isGreedy: boolean;
    };

export interface Syntax {
  readonly tree: Tree;
  /** How many parentheses keep what they match. */
  readonly groups: number;
  /** Of what matches at the first place, whether the longest counts, or the shortest. */
  readonly takesLongest: boolean;
  readonly ignoresCase: boolean;
}

export interface SyntaxOptions {
  readonly ignoresCase: boolean;
  /** `-line`: `.` and negated sets leave line ends out. */
  readonly isByLine: boolean;
}

const MAX_LENGTH = 2000;
const MAX_NESTING = 50;
const MAX_COUNT = 255;
const WORD: CharTest = (char) => /^\w$/.test(char);
const SPACE: CharTest = (char) => /^\s$/.test(char);
const DIGIT: CharTest = (char) => char >= '0' && char <= '9';
const not =
  (test: CharTest): CharTest =>
  (char) =>
    !test(char);
const ESCAPED_SETS: Readonly<Record<string, CharTest>> = {
  ...{ d: DIGIT, D: not(DIGIT), s: SPACE, S: not(SPACE), w: WORD, W: not(WORD) },
};
const ESCAPED_CHARS: Readonly<Record<string, string>> = {
  ...{ a: '\x07', b: '\b', B: '\\', e: '\x1b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', 0: '\0' },
};
const NAMED_SETS: Readonly<Record<string, RegExp>> = {
  alpha: /^\p{L}$/u,
  upper: /^\p{Lu}$/u,
  lower: /^\p{Ll}$/u,
  digit: /^\d$/,
  xdigit: /^[\da-fA-F]$/,
  alnum: /^[\p{L}\p{N}]$/u,
  punct: /^[\p{P}\p{S}]$/u,
  space: /^\s$/,
  blank: /^[ \t]$/,
  cntrl: /^\p{Cc}$/u,
  graph: /^[^\s\p{Cc}]$/u,
  print: /^[^\p{Cc}]$/u,
};

/** Throws `RegexpError`. */
export function parseRegexp(text: string, options: SyntaxOptions): Syntax {
  if (text.length > MAX_LENGTH)
    throw new RegexpError(`the regular expression has more than ${MAX_LENGTH} characters`);
  if (text.startsWith('***=')) return literal(text.slice(4), options);
  const embedded = /^\(\?([bceimnpqstwx]+)\)/.exec(text)?.[1] ?? '';
  const ignoresCase = options.ignoresCase || embedded.includes('i');
  const isByLine = options.isByLine || /[mnw]/.test(embedded);
  const body = text.replace(/^\(\?[bceimnpqstwx]+\)/, '').replace(/^\*\*\*:/, '');
  const parser = new Parser(body, { ignoresCase, isByLine });
  const tree = parser.whole();
  return { tree, groups: parser.groups, takesLongest: preference(tree) !== 'shortest', ignoresCase };
}

function literal(text: string, { ignoresCase }: SyntaxOptions): Syntax {
  const parts = [...text].map((char): Tree => ({ kind: 'char', test: oneOf(char, ignoresCase) }));
  return { tree: { kind: 'sequence', parts }, groups: 0, takesLongest: true, ignoresCase };
}

/** That of the first part which has one (re_syntax(n), MATCHING). */
function preference(tree: Tree): 'longest' | 'shortest' | undefined {
  switch (tree.kind) {
    case 'choice':
      return 'longest';
    case 'sequence': {
      for (const part of tree.parts) {
        const found = preference(part);
        if (found) return found;
      }
      return undefined;
    }
    case 'group':
      return preference(tree.of);
    case 'repeat':
      if (tree.least === tree.most) return preference(tree.of);
      return tree.isGreedy ? 'longest' : 'shortest';
    default:
      return undefined;
  }
}

function oneOf(wanted: string, ignoresCase: boolean): CharTest {
  const lower = wanted.toLowerCase();
  return ignoresCase ? (char) => char.toLowerCase() === lower : (char) => char === wanted;
}

class Parser {
  readonly #text: string;
  readonly #options: SyntaxOptions;
  groups = 0;
  #at = 0;
  #depth = 0;

  constructor(text: string, options: SyntaxOptions) {
    this.#text = text;
    this.#options = options;
  }

  whole(): Tree {
    const tree = this.#choice();
    if (this.#at < this.#text.length) throw new RegexpError('parentheses () not balanced');
    return tree;
  }

  #choice(): Tree {
    const parts = [this.#sequence()];
    while (this.#text[this.#at] === '|') {
      this.#at++;
      parts.push(this.#sequence());
    }
    return parts.length === 1 ? parts[0]! : { kind: 'choice', parts };
  }

  #sequence(): Tree {
    const parts: Tree[] = [];
    for (
      let char = this.#text[this.#at];
      char !== undefined && char !== '|' && char !== ')';
      char = this.#text[this.#at]
    )
      parts.push(this.#repeated(this.#atom()));
    return parts.length === 1 ? parts[0]! : { kind: 'sequence', parts };
  }

  #repeated(of: Tree): Tree {
    let tree = of;
    const bounds = this.#bounds();
    if (!bounds) return tree;
    const isGreedy = this.#text[this.#at] !== '?';
    if (!isGreedy) this.#at++;
    tree = { kind: 'repeat', of: tree, isGreedy, ...bounds };
    if (/^(?:[*+?]|\{\d)/.test(this.#text.slice(this.#at, this.#at + 2)))
      throw new RegexpError('quantifier operand invalid');
    return tree;
  }

  #bounds(): { readonly least: number; readonly most?: number } | undefined {
    const char = this.#text[this.#at];
    if (char === '*' || char === '+') {
      this.#at++;
      return { least: char === '*' ? 0 : 1 };
    }
    if (char === '?') {
      this.#at++;
      return { least: 0, most: 1 };
    }
    if (char !== '{' || !DIGIT(this.#text[this.#at + 1] ?? '')) return undefined;
    const match = /^\{(\d{1,3})(?:(,)(\d{1,3})?)?\}/.exec(this.#text.slice(this.#at, this.#at + 10));
    if (!match) throw new RegexpError('braces {} not balanced');
    const [all, least, comma, most] = match;
    this.#at += all.length;
    const bounds = {
      least: Number(least),
      ...(comma === undefined ? { most: Number(least) } : most !== undefined && { most: Number(most) }),
    };
    if (
      bounds.least > MAX_COUNT ||
      (bounds.most ?? 0) > MAX_COUNT ||
      bounds.least > (bounds.most ?? MAX_COUNT)
    )
      throw new RegexpError('invalid repetition count(s)');
    return bounds;
  }

  #atom(): Tree {
    const char = this.#text[this.#at++]!;
    switch (char) {
      case '(':
        return this.#group();
      case '[':
        return { kind: 'char', test: this.#set() };
      case '.':
        return { kind: 'char', test: this.#options.isByLine ? (one) => one !== '\n' : () => true };
      case '^':
      case '$':
        return { kind: 'assert', what: char };
      case '\\':
        return this.#escape();
      case '*':
      case '+':
      case '?':
        throw new RegexpError('quantifier operand invalid');
      default:
        return { kind: 'char', test: oneOf(char, this.#options.ignoresCase) };
    }
  }

  #group(): Tree {
    if (++this.#depth > MAX_NESTING) throw new RegexpError('parentheses are nested too deep');
    const keeps = this.#text[this.#at] !== '?';
    if (!keeps) {
      if (this.#text[this.#at + 1] !== ':')
        throw new RegexpError('looking ahead is not available in regular expressions here');
      this.#at += 2;
    }
    const number = keeps ? ++this.groups : 0;
    const of = this.#choice();
    if (this.#text[this.#at] !== ')') throw new RegexpError('parentheses () not balanced');
    this.#at++;
    this.#depth--;
    return keeps ? { kind: 'group', number, of } : of;
  }

  #escape(): Tree {
    const char = this.#text[this.#at++];
    if (char === undefined) throw new RegexpError('invalid escape \\ sequence');
    if (/[1-9]/.test(char))
      throw new RegexpError('references back are not available in regular expressions here');
    if (/[AZmMyY]/.test(char)) return { kind: 'assert', what: char as Assertion };
    if (Object.hasOwn(ESCAPED_SETS, char)) return { kind: 'char', test: ESCAPED_SETS[char]! };
    return { kind: 'char', test: oneOf(this.#escaped(char), this.#options.ignoresCase) };
  }

  /** The character of an escape whose letter was read. */
  #escaped(char: string): string {
    const code = char === 'x' ? /^[\da-fA-F]{1,4}/ : char === 'u' ? /^[\da-fA-F]{4}/ : undefined;
    const digits = code?.exec(this.#text.slice(this.#at, this.#at + 4))?.[0];
    if (digits !== undefined) {
      this.#at += digits.length;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    return Object.hasOwn(ESCAPED_CHARS, char) ? ESCAPED_CHARS[char]! : char;
  }

  #set(): CharTest {
    const isNegated = this.#text[this.#at] === '^';
    if (isNegated) this.#at++;
    const tests: CharTest[] = [];
    for (let isFirst = true; ; isFirst = false) {
      const char = this.#text[this.#at];
      if (char === undefined) throw new RegexpError('brackets [] not balanced');
      if (char === ']' && !isFirst) break;
      tests.push(this.#member());
    }
    this.#at++;
    const { ignoresCase, isByLine } = this.#options;
    const isIn: CharTest = (char) => tests.some((test) => test(char));
    const either: CharTest = ignoresCase
      ? (char) => isIn(char.toLowerCase()) || isIn(char.toUpperCase())
      : isIn;
    return isNegated ? (char) => !either(char) && !(isByLine && char === '\n') : either;
  }

  #member(): CharTest {
    const named = /^\[:([a-z]+):\]/.exec(this.#text.slice(this.#at, this.#at + 12));
    if (named) {
      const pattern = Object.hasOwn(NAMED_SETS, named[1]!) ? NAMED_SETS[named[1]!]! : undefined;
      if (!pattern) throw new RegexpError(`invalid character class "${named[1]}"`);
      this.#at += named[0].length;
      return (char) => pattern.test(char);
    }
    const next = this.#text[this.#at + 1];
    if (this.#text[this.#at] === '\\' && next !== undefined && Object.hasOwn(ESCAPED_SETS, next)) {
      this.#at += 2;
      return ESCAPED_SETS[next]!;
    }
    const first = this.#setChar();
    if (this.#text[this.#at] !== '-' || this.#text[this.#at + 1] === ']' || this.#at + 1 >= this.#text.length)
      return (char) => char === first;
    this.#at++;
    const last = this.#setChar();
    if (last < first) throw new RegexpError('invalid character range');
    return (char) => char >= first && char <= last;
  }

  #setChar(): string {
    const char = this.#text[this.#at++];
    if (char === undefined) throw new RegexpError('brackets [] not balanced');
    if (char !== '\\') return char;
    const escaped = this.#text[this.#at++];
    if (escaped === undefined) throw new RegexpError('brackets [] not balanced');
    return this.#escaped(escaped);
  }
}
