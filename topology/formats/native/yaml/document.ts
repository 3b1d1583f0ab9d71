/** YAML text → plain value, with the position in the file of each part of it. Loads a library, which few files need. */
import {
  type Alias,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
  type YAMLParseError,
} from 'yaml';
import { type Findings, quote } from '../../../model/diagnostics.ts';
import { MAX_DEPTH } from '../../../model/limits.ts';
import { readSimpleYaml } from '../../../syntax/simple-yaml.ts';
import type { Span } from '../../../syntax/yaml-places.ts';
import { absurdity } from './absurdity.ts';
import { type Path, PlacedDocument, type Tree } from './placed.ts';

export type { Path, Place } from './placed.ts';

/**
 * Aliases may save typing, but must not multiply: ten lists of ten aliases each are a hundred, nested again a
 * thousand.
 */
const MAX_ALIASES = 100;
/** The library walks through the file for each. */
const MAX_ALIAS_USES = 1000;
/** Further errors after a syntax error are mostly its consequences. */
const MAX_SYNTAX_ERRORS = 10;

/** What a file is, for messages. */
const KINDS = {
  topology: { name: 'a topology', example: 'examples/quickstart.yaml' },
  inventory: { name: 'an inventory', example: 'docs/placement.md' },
  network: { name: 'a network of hosts', example: 'docs/placement.md' },
} as const;
type Kind = keyof typeof KINDS;

/** A text of any YAML. */
export class YamlDocument extends PlacedDocument {
  /** Gives `undefined` if the text is no YAML; `findings` then has the reason. `file`: if it is not that of `findings`. */
  static parse(
    text: string,
    findings: Findings,
    kind: Kind = 'topology',
    file?: string,
  ): YamlDocument | undefined {
    const simple = readSimpleYaml(text);
    if (simple) return new YamlDocument(simple.value, simple.places, text, file);
    const read = readAnyYaml(text, findings, kind);
    return read && new YamlDocument(read.value, read.tree, text, file);
  }
}

/** By the library, which reads all of YAML. */
export function readAnyYaml(
  text: string,
  findings: Findings,
  kind: Kind = 'topology',
): { value: unknown; tree: Tree } | undefined {
  const lines = new LineCounter();
  if (refuseAbsurdities(text, kind, findings)) return undefined;
  try {
    // The library searches for duplicate keys in quadratic time; `refuseDuplicates` does it in linear time.
    const document = parseDocument(text, {
      lineCounter: lines,
      uniqueKeys: false,
      stringKeys: true,
      logLevel: 'error',
      // Its pretty errors search the text again for each error.
      prettyErrors: false,
    });
    reportErrors(document.errors, lines, kind, findings);
    if (findings.hasErrors) return undefined;
    const root = document.contents;
    if (!acceptable(root, lines, kind, findings)) return undefined;
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    return { value, tree: new LibraryTree(root, lines) };
  } catch (error) {
    if (!explain(error, kind, findings)) throw error;
    return undefined;
  }
}

class LibraryTree implements Tree {
  readonly #root: Node | null;
  readonly #lines: LineCounter;

  constructor(root: Node | null, lines: LineCounter) {
    this.#root = root;
    this.#lines = lines;
  }

  nearest(path: Path): number {
    let node = this.#root;
    for (const step of path) {
      const next = child(node, step);
      if (!next) break;
      node = next;
    }
    return node?.range?.[0] ?? 0;
  }

  span(path: Path): Span | undefined {
    const range = this.#node(path)?.range;
    return range ? { start: range[0], end: range[1] } : undefined;
  }

  key(path: Path, key: string): number | undefined {
    const node = this.#node(path);
    const found = isMap(node) ? pairOf(node, key)?.key : undefined;
    return isNode(found) ? found.range?.[0] : undefined;
  }

  entries(path: Path): [string | number, number][] {
    const node = this.#node(path);
    if (isMap(node))
      return node.items.flatMap(({ key }): [string, number][] =>
        isNode(key) ? [[keyOf(key), key.range?.[0] ?? 0]] : [],
      );
    if (!isSeq(node)) return [];
    return node.items.flatMap((item, index): [number, number][] =>
      isNode(item) ? [[index, item.range?.[0] ?? 0]] : [],
    );
  }

  position(offset: number): { line: number; column: number } {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }

  #node(path: Path): Node | null | undefined {
    let node: Node | null | undefined = this.#root;
    for (const step of path) node = child(node, step);
    return node;
  }
}

function reportErrors(
  errors: readonly YAMLParseError[],
  lines: LineCounter,
  kind: Kind,
  findings: Findings,
): void {
  if (errors.some(({ message }) => message.startsWith('Maximum call stack'))) {
    tooDeep(kind, findings);
    return;
  }
  for (const { message, pos, code } of errors.slice(0, MAX_SYNTAX_ERRORS)) {
    const at = lines.linePos(pos[0]);
    const said =
      code === 'MULTIPLE_DOCS' ? `a second document begins here, and a file is one ${kind}` : message;
    findings.error('YAML_SYNTAX', { line: at.line, column: at.col }, '', said, remedyOf(code, kind));
  }
}

/** What the library would read for seconds, or by recursion without an end. */
function refuseAbsurdities(text: string, kind: Kind, findings: Findings): boolean {
  const found = absurdity(text);
  if (found?.kind === 'depth') tooDeep(kind, findings);
  else if (found) {
    const message = 'there are more than a thousand keys and entries without a value';
    findings.error('YAML_SYNTAX', { line: found.line, column: 1 }, '', message, 'write the values');
  }
  return found !== undefined;
}

function keyOf(key: unknown): string {
  return isScalar(key) ? String(key.value ?? '') : '';
}

/** Of the first of equal keys. Of each mapping in which something was sought: thousands of findings may be in one. */
const pairsByKey = new WeakMap<YAMLMap, ReadonlyMap<string, Pair>>();

function pairOf(map: YAMLMap, key: string): Pair | undefined {
  let pairs = pairsByKey.get(map);
  if (!pairs) {
    pairs = new Map(map.items.toReversed().map((pair) => [keyOf(pair.key), pair]));
    pairsByKey.set(map, pairs);
  }
  return pairs.get(key);
}

function child(node: Node | null | undefined, step: string | number): Node | undefined {
  if (isMap(node)) {
    const value = pairOf(node, String(step))?.value;
    return isNode(value) ? value : undefined;
  }
  if (isSeq(node)) {
    const value = node.items[Number(step)];
    return isNode(value) ? value : undefined;
  }
  return undefined;
}

/** Walks the tree without recursion: refuses too deep nesting, and duplicate keys. */
function acceptable(root: Node | null, lines: LineCounter, kind: Kind, findings: Findings): boolean {
  const pending: { node: unknown; depth: number }[] = [{ node: root, depth: 1 }];
  const anchors = new Set<string>();
  const aliases: Alias[] = [];
  const refuseAlias = (message: string): boolean => {
    findings.error('YAML_ALIASES', { line: 1, column: 1 }, '', message, 'write the values out');
    return false;
  };
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { node, depth } = next;
    if ((isCollection(node) || isScalar(node)) && node.anchor !== undefined) anchors.add(node.anchor);
    if (isPair(node)) {
      pending.push({ node: node.value, depth });
    } else if (isCollection(node)) {
      if (depth > MAX_DEPTH) {
        tooDeep(kind, findings);
        return false;
      }
      if (isMap(node)) refuseDuplicates(node, lines, findings);
      for (const item of node.items) pending.push({ node: item, depth: depth + 1 });
    } else if (isAlias(node) && node.source.length > 200) {
      return refuseAlias('an alias has an absurdly long name');
    } else if (isAlias(node)) {
      aliases.push(node);
      if (aliases.length > MAX_ALIAS_USES)
        return refuseAlias(`there are more than ${MAX_ALIAS_USES} aliases (*NAME)`);
    }
  }
  refuseUnknownAliases(aliases, anchors, lines, findings);
  return !findings.hasErrors;
}

function refuseUnknownAliases(
  aliases: readonly Alias[],
  anchors: ReadonlySet<string>,
  lines: LineCounter,
  findings: Findings,
): void {
  for (const { source, range } of aliases) {
    if (anchors.has(source)) continue;
    const at = lines.linePos(range?.[0] ?? 0);
    const message = `*${source} stands for what &${source} marks, and nothing is marked so`;
    const remedy = `mark a value before it with &${source}, or quote a text that begins with *`;
    findings.error('YAML_ALIASES', { line: at.line, column: at.col }, '', message, remedy);
  }
}

function refuseDuplicates(map: YAMLMap, lines: LineCounter, findings: Findings): void {
  const seen = new Set<string>();
  for (const { key } of map.items) {
    const name = keyOf(key);
    if (seen.has(name) && isNode(key) && key.range) {
      const at = lines.linePos(key.range[0]);
      const place = { line: at.line, column: at.col };
      findings.error(
        'KEY_DUPLICATE',
        place,
        name,
        `the key ${quote(name)} is written twice`,
        'remove or rename one of them',
      );
    }
    seen.add(name);
  }
}

/** Turns the library's errors for hostile input into findings; `false` for any other error, which is our bug. */
function explain(error: unknown, kind: Kind, findings: Findings): boolean {
  if (error instanceof ReferenceError) {
    findings.error(
      'YAML_ALIASES',
      { line: 1, column: 1 },
      '',
      `aliases: ${error.message}`,
      'write the values out instead of using & and *',
    );
    return true;
  }
  if (error instanceof RangeError) {
    tooDeep(kind, findings);
    return true;
  }
  return false;
}

function tooDeep(kind: Kind, findings: Findings): void {
  findings.error(
    'YAML_SYNTAX',
    { line: 1, column: 1 },
    '',
    'the file is nested too deep',
    `${KINDS[kind].name} has no more than five levels`,
  );
}

function remedyOf(code: string, kind: Kind): string {
  if (code === 'TAB_AS_INDENT') return 'indent with spaces';
  if (code === 'MULTIPLE_DOCS') return `write one ${kind} a file; remove the ---`;
  if (code === 'DUPLICATE_KEY') return 'remove or rename one of them';
  return `see ${KINDS[kind].example} for the format; quote texts that contain ": " or " #"`;
}
