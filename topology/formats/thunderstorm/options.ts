/** The options of a line, in any order: `latency=10.0`, `symmetric`, `tags=edge core`. */

import { LineError, type Word, type Words } from '../../events/words.ts';
import { quote } from '../../model/diagnostics.ts';
import { NAME_REMEDY, nameProblem } from '../../model/names.ts';
import { takeWord } from './values.ts';

/** The form of each option: with one value, with a list of names, or as a bare word. */
export type OptionForms = Readonly<Record<string, 'value' | 'names' | 'flag'>>;

export class Options {
  readonly #forms: OptionForms;
  readonly #found = new Map<string, { readonly key: Word; readonly values: readonly Word[] }>();

  /** Takes the rest of the line. Throws `LineError`. */
  constructor(words: Words, forms: OptionForms) {
    this.#forms = forms;
    while (!words.atEnd()) this.#take(words);
  }

  keys(): Word[] {
    return [...this.#found.values()].map(({ key }) => key);
  }

  /** The word of the option; `undefined` if it is missing. */
  key(name: string): Word | undefined {
    return this.#found.get(name)?.key;
  }

  /** The one value of an option. */
  value(name: string): Word | undefined {
    return this.#found.get(name)?.values[0];
  }

  /** The value of an option as `parse` reads it. */
  read<T>(name: string, parse: (word: Word) => T): T | undefined {
    const value = this.value(name);
    return value && parse(value);
  }

  names(name: string): string[] {
    return (this.#found.get(name)?.values ?? []).map(({ text }) => text);
  }

  #take(words: Words): void {
    const known = Object.keys(this.#forms);
    const name = words.keyword(known, `an option (${known.join(' ')})`);
    const key = words.last;
    if (this.#found.has(name))
      throw new LineError(key.position, `there is a second ${name}`, 'keep one of them');
    this.#found.set(name, { key, values: this.#values(words, name) });
  }

  #values(words: Words, name: string): Word[] {
    const form = this.#forms[name]!;
    if (form === 'flag') return [];
    words.demand('=', `"=" and the ${name}`);
    if (form === 'value') {
      const word = words.peek();
      if (word?.quoted) return [words.take(name)];
      return [takeWord(words, `the ${name} after "="`, `${name}=…`)];
    }
    return takeNames(words, name, (text) => Object.hasOwn(this.#forms, text));
  }
}

/** One or more names, up to a word that `ends` the list. */
export function takeNames(words: Words, what: string, ends: (text: string) => boolean): Word[] {
  const found = [takeName(words, what)];
  for (let next = words.peek(); next && !ends(next.text); next = words.peek())
    found.push(takeName(words, what));
  return found;
}

/** A valid name of a service, bridge or tag. */
export function takeName(words: Words, what: string): Word {
  const word = takeWord(words, `a name (${what})`, 'server');
  const problem = nameProblem(word.text);
  if (problem !== undefined)
    throw new LineError(word.position, `the name ${quote(word.text)} ${problem}`, NAME_REMEDY);
  return word;
}
