/** A line of a script → words: `=` and `;` are words, a list `['a', 'b']` is one word, `#` begins a comment. */
import { LineError, type Split, type Word } from '../../events/words.ts';

const WORD = /(#.*)|(\[[^\]]*\])|([=;]|[^\s=;[\]]+)|(\S)/g;

export const splitScriptLine: Split = (line, place) => {
  const words: Word[] = [];
  for (const { 0: text, 1: comment, 2: list, 4: stray, index } of line.matchAll(WORD)) {
    if (comment !== undefined) break;
    if (stray !== undefined) {
      const message = stray === '[' ? 'a list does not end' : `"${stray}" does not belong here`;
      throw new LineError(place(index), message, "write a list such as command=['server', '1']");
    }
    words.push({ text, quoted: list !== undefined, position: place(index) });
  }
  return words;
};
