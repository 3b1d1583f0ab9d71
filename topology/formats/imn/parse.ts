/**
 * `.imn` files of CORE (before version 7.2) and of IMUNES → `Topology`: blocks in braces as Tcl has them, `node n1 { … }`, `link l1 { … }`.
 * Delays are in microseconds, bandwidths in bit/s, `ber` of CORE is a loss in percent.
 */
import { type Findings, quote } from '../../model/diagnostics.ts';
import type { ParsedFile } from '../../model/parsed-file.ts';
import { type LabNode, labOf } from '../../networks/lab.ts';
import type { NetworkEdge } from '../../networks/network.ts';
import { Notes, type Place } from '../../networks/notes.ts';

/** Models that forward. */
const ROUTERS = ['router', 'mdr', 'prouter'];
const SWITCHES = ['lanswitch', 'hub', 'wlan', 'ethernet'];
const OUTSIDE = ['rj45', 'tunnel', 'ktunnel'];
const OPTIONS: ReadonlyMap<string, string> = new Map([
  ['delay', 'delay_us'],
  ['jitter', 'jitter_us'],
  ['bandwidth', 'bandwidth_bps'],
  ['ber', 'loss'],
  ['loss', 'loss'],
]);

/** A word of Tcl: plain, in quotes, or what stands in braces. */
interface Word extends Place {
  readonly text: string;
  readonly isBlock: boolean;
}

/** Gives `undefined` if there is nothing to check further; `findings` then has the reason. */
export function parseImn(
  text: string,
  file: string,
  name: string,
  findings: Findings,
): ParsedFile | undefined {
  const notes = new Notes(findings);
  const commands = commandsOf(text, { line: 1, column: 1 }, findings);
  const reader = new Reader(findings, notes);
  for (const [kind, id, body] of commands ?? []) reader.command(kind!, id, body);
  if (reader.nodes.length === 0 && !findings.hasErrors)
    findings.error(
      'NOT_A_TOPOLOGY',
      { line: 1, column: 1 },
      '',
      'there is no node',
      'write node n1 { type router }',
    );
  if (findings.hasErrors) return undefined;
  return labOf({ nodes: reader.nodes, edges: reader.edges() }, { name, file, findings, notes });
}

class Reader {
  readonly nodes: LabNode[] = [];
  readonly #links: NetworkEdge[] = [];
  readonly #outside = new Set<string>();
  readonly #findings: Findings;
  readonly #notes: Notes;

  constructor(findings: Findings, notes: Notes) {
    this.#findings = findings;
    this.#notes = notes;
  }

  command(kind: Word, id: Word | undefined, body: Word | undefined): void {
    if (kind.text === 'node' && id && body?.isBlock) this.#node(id, body);
    else if (kind.text === 'link' && id && body?.isBlock) this.#link(id, body);
    else this.#notes.drop(kind.text, 'graph', placeOf(kind), '');
  }

  #node(id: Word, body: Word): void {
    const settings = this.#settings(body);
    const type = settings.get('type')?.text ?? '';
    const field = `node ${id.text}`;
    const label = this.#hostname(settings.get('network-config')) ?? id.text;
    if (OUTSIDE.includes(type)) {
      this.#outside.add(id.text);
      const message = `${label} leads out of the lab, and is left out with its links`;
      const what = { code: 'LINK_LEFT_OUT', what: 'nodes that lead out of the lab' } as const;
      this.#notes.tell(what, placeOf(id), field, message, '');
      return;
    }
    // CORE calls hosts routers of another model.
    const model = settings.get('model')?.text ?? type;
    const kind = SWITCHES.includes(type) ? 'switch' : ROUTERS.includes(model) ? 'router' : 'host';
    this.nodes.push({ id: id.text, label, kind, place: placeOf(id), field });
  }

  /** `hostname n1` in a text for a router's console. */
  #hostname(config: Word | undefined): string | undefined {
    return /^\s*hostname[ \t]+(\S+)/m.exec(config?.text ?? '')?.[1];
  }

  #link(id: Word, body: Word): void {
    const settings = this.#settings(body);
    const field = `link ${id.text}`;
    const ends = (settings.get('nodes')?.text ?? '').trim().split(/\s+/);
    const [source, target] = ends;
    if (ends.length !== 2 || source === undefined || target === undefined || source === '') {
      this.#findings.error(
        'VALUE_INVALID',
        placeOf(body),
        field,
        'a link has two nodes',
        'write nodes {n1 n2}',
      );
      return;
    }
    // In braces: one value for each direction.
    const hasTwo = [...settings].some(([key, { text }]) => OPTIONS.has(key) && /\S\s+\S/.test(text.trim()));
    const common = { isDirected: hasTwo, place: placeOf(id), field };
    const values = (direction: number) => this.#values(settings, direction, body, field);
    this.#links.push({ source, target, attributes: values(0), ...common });
    if (hasTwo) this.#links.push({ source: target, target: source, attributes: values(1), ...common });
  }

  #values(
    settings: ReadonlyMap<string, Word>,
    direction: number,
    body: Word,
    field: string,
  ): Map<string, string> {
    const attributes = new Map<string, string>();
    for (const [key, { text }] of settings) {
      const attribute = OPTIONS.get(key);
      const all = text.trim().split(/\s+/);
      const value = all[Math.min(direction, all.length - 1)]!;
      // 0 stands for none.
      if (key === 'nodes' || Number(value) === 0) continue;
      if (attribute !== undefined) attributes.set(attribute, attribute === 'loss' ? `${value}%` : value);
      else if (direction === 0) this.#notes.drop(key, 'edge', placeOf(body), field);
    }
    return attributes;
  }

  #settings(body: Word): Map<string, Word> {
    const commands = commandsOf(body.text, body, this.#findings) ?? [];
    return new Map(commands.flatMap(([key, value]) => (key && value ? [[key.text, value] as const] : [])));
  }

  /** Nodes may come after the links to them. */
  edges(): NetworkEdge[] {
    return this.#links.filter(
      ({ source, target }) => !this.#outside.has(source) && !this.#outside.has(target),
    );
  }
}

function placeOf({ line, column }: Place): Place {
  return { line, column };
}

/** The commands of a script, each a list of words. `undefined` if a brace is open; `findings` then has the reason. */
function commandsOf(text: string, start: Place, findings: Findings): Word[][] | undefined {
  const commands: Word[][] = [];
  let words: Word[] = [];
  let { line } = start;
  for (let at = 0; at < text.length; ) {
    const char = text[at]!;
    if (char === '\n' || char === ';') {
      if (words.length > 0) commands.push(words);
      words = [];
      if (char === '\n') line++;
      at++;
    } else if (/\s/.test(char)) at++;
    else if (char === '#' && words.length === 0) {
      const end = text.indexOf('\n', at);
      at = end === -1 ? text.length : end;
    } else {
      const end = wordEnd(text, at);
      if (end === -1) {
        const message = `${quote(text.slice(at, at + 20))} is not closed`;
        findings.error('VALUE_INVALID', { line, column: 1 }, '', message, 'close each { with }');
        return undefined;
      }
      const isBlock = char === '{';
      const inner = isBlock || char === '"' ? text.slice(at + 1, end - 1) : text.slice(at, end);
      words.push({ text: inner, isBlock, line, column: 1 });
      for (let next = text.indexOf('\n', at); next !== -1 && next < end; next = text.indexOf('\n', next + 1))
        line++;
      at = end;
    }
  }
  if (words.length > 0) commands.push(words);
  return commands;
}

/** One past the end of the word; -1 if it has none. */
function wordEnd(text: string, start: number): number {
  if (text[start] === '{') {
    let depth = 0;
    for (let at = start; at < text.length; at++) {
      if (text[at] === '\\') at++;
      else if (text[at] === '{') depth++;
      else if (text[at] === '}' && --depth === 0) return at + 1;
    }
    return -1;
  }
  if (text[start] === '"') {
    for (let at = start + 1; at < text.length; at++) {
      if (text[at] === '\\') at++;
      else if (text[at] === '"') return at + 1;
    }
    return -1;
  }
  let at = start;
  while (at < text.length && !/[\s;]/.test(text[at]!)) at++;
  return at;
}
