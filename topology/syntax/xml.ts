/**
 * XML text → elements with attributes and positions. Document types and a file's own entities are refused, not
 * expanded.
 */
import { XMLValidator } from 'fast-xml-parser';
import { type Findings, quote } from '../model/diagnostics.ts';
import { MAX_DEPTH } from '../model/limits.ts';

export interface Element {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly Element[];
  /** Whether it contains other text than white space. */
  readonly hasText: boolean;
  /** Its own text, without that of elements in it, as it is written: `textOf` has its characters. */
  readonly source: string;
  readonly line: number;
  readonly column: number;
}

/** How messages call what is read. */
export interface Dialect {
  /** The name of the root element. */
  readonly root: string;
  /** `the Kollaps dialect`. */
  readonly name: string;
}

/** The root element; `undefined` if there is none, and `findings` then has the reason. */
export function parseXml(text: string, dialect: Dialect, findings: Findings): Element | undefined {
  const lines = new LineStarts(text);
  if (!refuseDocumentTypes(text, lines, findings)) return undefined;
  const valid = XMLValidator.validate(text);
  if (valid !== true) {
    const { line, msg } = valid.err;
    findings.error(
      'XML_SYNTAX',
      { line: line || 1, column: numberOr(valid.err.col, 1) },
      '',
      oneLine(msg),
      'close and nest the tags as in XML',
    );
    return undefined;
  }
  const roots = new TreeReader(text, lines, findings).read(dialect) ?? [];
  if (findings.hasErrors) return undefined;
  const [root, second] = roots;
  if (second)
    findings.error('XML_SYNTAX', second, '', 'there is a second root element', `keep one <${dialect.root}>`);
  else if (!root)
    findings.error(
      'FILE_EMPTY',
      { line: 1, column: 1 },
      '',
      'the file has no element',
      `write <${dialect.root}>…</${dialect.root}>`,
    );
  return second ? undefined : root;
}

/** An element while it is read. */
interface Draft {
  name: string;
  attributes: ReadonlyMap<string, string>;
  children: Element[];
  hasText: boolean;
  source: string;
  line: number;
  column: number;
}

/** Two neighbours never match the same character. */
const TAG_NAME = /[^\s/>]+/y;
const ATTRIBUTE = /\s*([^\s=>/"']+)\s*=\s*(?:"([^"]*)"|'([^']*)')/y;
const TAG_END = /\s*(\/?)>/y;
const NO_ATTRIBUTES: ReadonlyMap<string, string> = new Map();

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/**
 * The tree of a text that the validator has accepted. The library's own parser takes three times as long for it, and a
 * gigabyte for a network of a hundred thousand links.
 */
class TreeReader {
  readonly #text: string;
  readonly #lines: LineStarts;
  readonly #findings: Findings;
  readonly #roots: Element[] = [];
  readonly #open: Draft[] = [];

  constructor(text: string, lines: LineStarts, findings: Findings) {
    this.#text = text;
    this.#lines = lines;
    this.#findings = findings;
  }

  /** The root elements; `undefined` if they are nested too deep. */
  read(dialect: Dialect): Element[] | undefined {
    const text = this.#text;
    for (let at = 0; ; ) {
      const start = text.indexOf('<', at);
      if (start === -1) return this.#roots;
      if (start > at) this.#addText(text.slice(at, start));
      const kind = KINDS.find(([opening]) => text.startsWith(opening, start));
      if (!kind) at = this.#tag(start);
      else {
        const [opening, closing] = kind;
        const end = text.indexOf(closing, start + opening.length);
        if (end === -1) return this.#roots;
        if (opening === CDATA)
          this.#addText(text.slice(start + opening.length, end).replaceAll('&', '&amp;'));
        else if (opening === '</') this.#open.pop();
        at = end + closing.length;
      }
      if (this.#open.length > MAX_DEPTH) {
        const place = this.#lines.place(start);
        const remedy = `write the elements that ${dialect.name} has`;
        this.#findings.error('XML_SYNTAX', place, '', 'the elements are nested too deep', remedy);
        return undefined;
      }
    }
  }

  #addText(text: string): void {
    const top = this.#open.at(-1);
    if (!top || text.trim() === '') return;
    top.source = `${top.source}${top.source === '' ? text.trimStart() : text}`;
    top.hasText = true;
  }

  /** Reads the tag that begins at `start`; gives where it ends. */
  #tag(start: number): number {
    const name = matchAt(TAG_NAME, this.#text, start + 1)?.[0] ?? '';
    const place = this.#lines.place(start);
    let attributes: Map<string, string> | undefined;
    let at = start + 1 + name.length;
    for (;;) {
      const found = matchAt(ATTRIBUTE, this.#text, at);
      if (!found) break;
      const [whole, key, quoted, other] = found;
      attributes ??= new Map();
      const value = (quoted ?? other)!.trim();
      attributes.set(key!, decode(value, place, `<${name}> ${key}`, this.#findings));
      at += whole.length;
    }
    const end = matchAt(TAG_END, this.#text, at);
    if (!end || name === '') {
      // The validator accepts some signs that have no meaning, such as `a="1" =`.
      const message = `the tag ${quote(this.#text.slice(start, start + 20))} can't be read`;
      this.#findings.error('XML_SYNTAX', place, '', message, 'write attributes as name="value"');
      return this.#text.length;
    }
    const draft: Draft = {
      name,
      attributes: attributes ?? NO_ATTRIBUTES,
      children: [],
      hasText: false,
      source: '',
      ...place,
    };
    (this.#open.at(-1)?.children ?? this.#roots).push(draft);
    if (end[1] === '') this.#open.push(draft);
    return at + end[0].length;
  }
}

const CDATA = '<![CDATA[';
/** What is no opening tag, and how it ends. */
const KINDS = [
  ['</', '>'],
  ['<!--', '-->'],
  [CDATA, ']]>'],
  ['<?', '?>'],
  ['<!', '>'],
] as const;

/** The characters of an element's own text, without white space at its ends. */
export function textOf(element: Element, findings: Findings): string {
  return decode(element.source.trimEnd(), element, `<${element.name}>`, findings);
}

/** The five entities of XML itself, and characters by number. */
const PREDEFINED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decode(
  value: string,
  place: { line: number; column: number },
  field: string,
  findings: Findings,
): string {
  if (!value.includes('&')) return value;
  return value.replace(/&(#x[0-9a-fA-F]{1,6}|#\d{1,7}|\w{1,40});/g, (whole, entity: string) => {
    if (entity.startsWith('#')) {
      const code = entity[1] === 'x' ? Number.parseInt(entity.slice(2), 16) : Number(entity.slice(1));
      if (code <= 0x10ffff) return String.fromCodePoint(code);
    } else if (Object.hasOwn(PREDEFINED, entity)) {
      return PREDEFINED[entity]!;
    }
    findings.error('XML_ENTITY', place, field, `there is no entity ${quote(whole)}`, 'write the text itself');
    return whole;
  });
}

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

/** Skips comments and CDATA, in linear time for any file. */
function refuseDocumentTypes(text: string, lines: LineStarts, findings: Findings): boolean {
  for (let at = text.indexOf('<!'); at !== -1; at = text.indexOf('<!', at)) {
    const end = text.startsWith('<!--', at) ? '-->' : text.startsWith('<![CDATA[', at) ? ']]>' : undefined;
    if (end === undefined) {
      const isHtml = /^<!doctype\s+html/i.test(text.slice(at, at + 30));
      if (isHtml) {
        findings.error(
          'NOT_A_TOPOLOGY',
          lines.place(at),
          '',
          'this is not a topology: it is an HTML page',
          'give a topology file',
        );
      } else {
        const message = 'document types and entities are not allowed';
        findings.error(
          'XML_ENTITY',
          lines.place(at),
          '',
          message,
          'remove the <!…> declaration and write the values out',
        );
      }
      return false;
    }
    const after = text.indexOf(end, at);
    // The validator reports what does not end.
    if (after === -1) return true;
    at = after;
  }
  return true;
}

class LineStarts {
  readonly #starts: number[] = [0];

  constructor(text: string) {
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) this.#starts.push(at + 1);
  }

  /** Line and column from 1 of the character at `index`. */
  place(index: number): { line: number; column: number } {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle]! <= index) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: index - this.#starts[low]! + 1 };
  }
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' && value > 0 ? value : otherwise;
}

function oneLine(message: string): string {
  return message.replace(/\s+/g, ' ').slice(0, 200);
}
