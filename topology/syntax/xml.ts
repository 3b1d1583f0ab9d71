/**
 * XML text → elements with attributes and positions. Document types and a file's own entities are refused, not
 * expanded.
 */
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { Findings, quote } from '../model/diagnostics.ts';
import { MAX_DEPTH } from '../model/limits.ts';
import { type Element, readSimpleXml } from './simple-xml.ts';

export type { Element } from './simple-xml.ts';

/** How messages call what is read. */
export interface Dialect {
  /** The name of the root element. */
  readonly root: string;
  /** `the Kollaps dialect`. */
  readonly name: string;
}

/** The root element; `undefined` if there is none, and `findings` then has the reason. */
export function parseXml(text: string, dialect: Dialect, findings: Findings): Element | undefined {
  const own = new Findings('');
  const simple = readSimpleXml(text, (value, place, field) => decode(value, place, field, own));
  return simple && !own.hasErrors ? simple : parseAnyXml(text, dialect, findings);
}

/** By the library, which reads all of XML. */
export function parseAnyXml(text: string, dialect: Dialect, findings: Findings): Element | undefined {
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
  const nodes = parseNodes(text, dialect, findings);
  const roots =
    nodes?.map((node) => toElement(node, lines, findings)).filter((one) => one !== undefined) ?? [];
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

/** The library's form of a node: one key with the children, `:@` with the attributes. */
type RawNode = Readonly<Record<string, unknown>>;

function startOf(node: RawNode): number {
  // The library stores its metadata under a symbol; its types call that `Symbol`.
  const metadata = Reflect.get(node, XMLParser.getMetaDataSymbol() as unknown as symbol) as
    | { startIndex?: number }
    | undefined;
  return metadata?.startIndex ?? 0;
}

function parseNodes(text: string, dialect: Dialect, findings: Findings): readonly RawNode[] | undefined {
  const parser = new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: '',
    captureMetaData: true,
    processEntities: false,
    parseAttributeValue: false,
    parseTagValue: false,
    ignoreDeclaration: true,
    ignorePiTags: true,
    maxNestedTags: MAX_DEPTH,
  });
  try {
    return parser.parse(text) as readonly RawNode[];
  } catch (error) {
    // The library throws plain errors: for too deep nesting, and for names that it reserves.
    const message = error instanceof Error ? error.message : String(error);
    findings.error(
      'XML_SYNTAX',
      { line: 1, column: 1 },
      '',
      oneLine(message),
      `write the elements that ${dialect.name} has`,
    );
    return undefined;
  }
}

function toElement(node: RawNode, lines: LineStarts, findings: Findings): Element | undefined {
  const name = Object.keys(node).find((key) => key !== ':@');
  if (name === undefined || name === '#text') return undefined;
  const content = (node[name] ?? []) as readonly RawNode[];
  const place = lines.place(startOf(node));
  const attributes = new Map<string, string>();
  for (const [key, value] of Object.entries((node[':@'] ?? {}) as Record<string, unknown>)) {
    attributes.set(key, decode(String(value), place, `<${name}> ${key}`, findings));
  }
  const children = content.map((one) => toElement(one, lines, findings)).filter((one) => one !== undefined);
  const texts = content.flatMap((one) => (typeof one['#text'] === 'string' ? [one['#text']] : []));
  const source = texts.join('').trim();
  return { name, attributes, children, hasText: source !== '', source, ...place };
}

/** The characters of an element's own text, without white space at its ends. */
export function textOf(element: Element, findings: Findings): string {
  return decode(element.source, element, `<${element.name}>`, findings);
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
