/** Names of netfold for the nodes of other programs, which are called anything. */
import { isName, MAX_NAME_LENGTH } from '../model/names.ts';

/** What a topology's own names are never: every endpoint calls itself so. */
const RESERVED = ['localhost'];
/** Characters of a text that are looked at: enough for any name, whatever they decompose to. */
const LOOKED_AT = 200;
/** Letters that no decomposition turns into Latin ones without marks. */
const LETTERS: Readonly<Record<string, string>> = {
  ...{ ß: 'ss', ẞ: 'SS', æ: 'ae', Æ: 'AE', œ: 'oe', Œ: 'OE', ø: 'o', Ø: 'O', ł: 'l', Ł: 'L' },
  ...{ đ: 'd', Đ: 'D', ð: 'd', Ð: 'D', þ: 'th', Þ: 'Th', ı: 'i' },
};
const SPECIAL = new RegExp(`[${Object.keys(LETTERS).join('')}]`, 'gu');

/** Gives each node a name of its own, also for who ignores case. */
export class NodeNames {
  readonly #taken = new Set(RESERVED);
  readonly #numbers = new Map<string, number>();
  readonly #longest: number;
  readonly #suffixes: readonly string[];

  /** `suffixes`: what else is called after a node, so that their names are free and short enough: `-r`. */
  constructor(suffixes: readonly string[] = []) {
    this.#suffixes = suffixes;
    this.#longest = MAX_NAME_LENGTH - Math.max(0, ...suffixes.map(({ length }) => length));
  }

  /** A name like `text`: `São Paulo` gives `Sao-Paulo`, `7` `n7`, the second `Rome` `Rome-2`. `letter`: `n`. */
  of(text: string, letter = 'n'): string {
    const base = plain(text, letter, this.#longest);
    let name = base;
    for (let number = this.#numbers.get(base) ?? 2; !this.#isFree(name); number++) {
      this.#numbers.set(base, number + 1);
      const end = `-${number}`;
      name = `${base.slice(0, this.#longest - end.length).replace(/-$/, '')}${end}`;
    }
    this.#taken.add(name.toLowerCase());
    for (const suffix of this.#suffixes) this.#taken.add(`${name}${suffix}`.toLowerCase());
    return name;
  }

  #isFree(name: string): boolean {
    return ['', ...this.#suffixes].every((suffix) => !this.#taken.has(`${name}${suffix}`.toLowerCase()));
  }
}

/** Letters, digits, `-` and `_`, and a letter first. */
function plain(text: string, letter: string, longest: number): string {
  const cleaned = text
    .slice(0, LOOKED_AT)
    .replace(SPECIAL, (one) => LETTERS[one]!)
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9_]+/g, '-')
    .replace(/^[-_]/, '')
    .replace(/^(?=[^A-Za-z])/, letter)
    .slice(0, longest)
    .replace(/-$/, '');
  return isName(cleaned) ? cleaned : letter;
}
