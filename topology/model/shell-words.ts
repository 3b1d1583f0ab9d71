/** A text as the words of a command, divided as a shell does it, without expanding anything. Pure. */

const TOKEN = /\s+|'[^']*'|"(?:[^"\\]|\\[\s\S])*"|\\[\s\S]|[^\s'"\\]+/y;

/** No program takes more in one argument (MAX_ARG_STRLEN). */
const MAX_COMMAND_LENGTH = 100_000;

/** POSIX quoting; `undefined` if a quote is open, or the text is too long. */
export function splitWords(text: string): string[] | undefined {
  if (text.length > MAX_COMMAND_LENGTH) return undefined;
  const words: string[] = [];
  let word: string | undefined;
  TOKEN.lastIndex = 0;
  for (let at = 0; at < text.length; at = TOKEN.lastIndex) {
    const token = TOKEN.exec(text)?.[0];
    if (token === undefined) return undefined;
    if (/^\s/.test(token)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + unquoted(token);
  }
  return word === undefined ? words : [...words, word];
}

function unquoted(token: string): string {
  if (token.startsWith("'")) return token.slice(1, -1);
  if (token.startsWith('"')) return token.slice(1, -1).replace(/\\(["\\$`])/g, '$1');
  return token.startsWith('\\') ? token.slice(1) : token;
}
