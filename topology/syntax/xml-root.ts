/** The root element of XML, without reading the rest: by it, formats are recognised. */

/** The name of the first element, without what may stand before it, in linear time for any text; `undefined`: no XML. */
export function rootName(text: string): string | undefined {
  let at = 0;
  for (;;) {
    while (at < text.length && text.charCodeAt(at) <= SPACE) at++;
    const end = OPENINGS.find(([start]) => text.startsWith(start, at))?.[1];
    if (end === undefined) return /^<([A-Za-z_][\w.:-]{0,99})/.exec(text.slice(at, at + 101))?.[1];
    const after = text.indexOf(end, at);
    if (after === -1) return undefined;
    at = after + end.length;
  }
}

const SPACE = 0x20;
/** What may stand before the root element, and how it ends. */
const OPENINGS = [
  ['<?', '?>'],
  ['<!--', '-->'],
  ['<!', '>'],
] as const;
