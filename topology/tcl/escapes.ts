/** Backslashes, as Tcl(n) has them. */

const SINGLE: Readonly<Record<string, string>> = {
  ...{ a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' },
};
const ESCAPE = /\\(?:\n[ \t]*|x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|([0-7]{1,3})|([\s\S]))/y;

/** The character that the backslash at `at` makes, and where the text goes on. A backslash at the end is one. */
export function escapeAt(text: string, at: number): { readonly value: string; readonly next: number } {
  ESCAPE.lastIndex = at;
  const match = ESCAPE.exec(text);
  if (!match) return { value: '\\', next: at + 1 };
  const [all, hex, unicode, octal, other] = match;
  const next = at + all.length;
  const code = hex ?? unicode;
  if (code !== undefined) return { value: String.fromCharCode(Number.parseInt(code, 16)), next };
  if (octal !== undefined) return { value: String.fromCharCode(Number.parseInt(octal, 8) & 0xff), next };
  if (other === undefined) return { value: ' ', next };
  return { value: Object.hasOwn(SINGLE, other) ? SINGLE[other]! : other, next };
}

/** In braces, only a line that goes on is another than it is written. */
export function joinLines(text: string): string {
  return text.includes('\\\n') ? text.replace(/(\\\\)|\\\n[ \t]*/g, (_, pair?: string) => pair ?? ' ') : text;
}
