/**
 * Networks of GT-ITM (Calvert, Doar, Zegura, "Modeling Internet Topology", 1997) as its `sgb2alt` writes them → `Topology`. Lengths of
 * edges count as milliseconds, as in the scripts that its `sgb2ns` makes.
 */
import { type Findings, quote } from '../../model/diagnostics.ts';
import type { ParsedFile } from '../../model/parsed-file.ts';
import type { NetworkEdge, NetworkNode } from '../../networks/network.ts';
import { Notes, type Place } from '../../networks/notes.ts';
import { topologyOf } from '../../networks/topology.ts';

const MAX_LINE = 1000;
const SECTION = /^(GRAPH|VERTICES|EDGES)\s*\(/;

/** Gives `undefined` if there is nothing to check further; `findings` then has the reason. */
export function parseGtItm(
  text: string,
  file: string,
  name: string,
  findings: Findings,
): ParsedFile | undefined {
  const start = { line: 1, column: 1 };
  if (text.startsWith('* GraphBase')) {
    const message = 'this is a graph of the Stanford GraphBase';
    findings.error('NOT_A_TOPOLOGY', start, '', message, 'convert it with sgb2alt, which GT-ITM has');
    return undefined;
  }
  const notes = new Notes(findings);
  const reader = new Reader(findings, notes);
  text.split('\n').forEach((line, index) => {
    const trimmed = line.slice(0, MAX_LINE).trim();
    if (trimmed !== '') reader.line(trimmed, { line: index + 1, column: 1 });
  });
  if (reader.nodes.length === 0 && !findings.hasErrors)
    findings.error(
      'NOT_A_TOPOLOGY',
      start,
      '',
      'there are no VERTICES',
      'give a file that sgb2alt has written',
    );
  if (findings.hasErrors) return undefined;
  return topologyOf({ nodes: reader.nodes, edges: reader.edges }, { name, file, findings, notes });
}

class Reader {
  readonly nodes: NetworkNode[] = [];
  readonly edges: NetworkEdge[] = [];
  readonly #findings: Findings;
  readonly #notes: Notes;
  #section = '';

  constructor(findings: Findings, notes: Notes) {
    this.#findings = findings;
    this.#notes = notes;
  }

  line(line: string, place: Place): void {
    const section = SECTION.exec(line)?.[1];
    if (section !== undefined) this.#section = section;
    else if (this.#section === 'VERTICES') this.#vertex(line.split(/\s+/), place);
    else if (this.#section === 'EDGES') this.#edge(line.split(/\s+/), place);
  }

  /** index name u v w x y z */
  #vertex([index, label, ...rest]: readonly string[], place: Place): void {
    if (!/^\d{1,9}$/.test(index ?? '')) {
      this.#refuse(place, 'a vertex is: index name u v w x y z');
      return;
    }
    const field = `vertex ${index}`;
    if (rest.length > 0) {
      const message = 'positions are on a plane without a scale: latencies come from lengths';
      this.#notes.tell({ code: 'KEY_IGNORED', what: 'positions', shown: 1 }, place, field, message, '');
    }
    const attributes = new Map(label === undefined || label === '' ? [] : [['label', label]]);
    this.nodes.push({ id: index!, attributes, place, field });
  }

  /** from-node to-node length a b */
  #edge([source, target, length]: readonly string[], place: Place): void {
    if (source === undefined || target === undefined) {
      this.#refuse(place, 'an edge is: from-node to-node length a b');
      return;
    }
    const field = `edge ${quote(`${source} ${target}`)}`;
    const attributes = new Map<string, string>();
    if (length !== undefined) {
      const message = `the length ${quote(length)} counts as milliseconds`;
      this.#notes.tell({ code: 'UNIT_ASSUMED', what: 'lengths', shown: 1 }, place, field, message, '');
      attributes.set('latency_ms', length);
    }
    this.edges.push({ source, target, isDirected: false, attributes, place, field });
  }

  #refuse(place: Place, remedy: string): void {
    const message = `the line does not have what belongs to ${this.#section}`;
    this.#findings.error('VALUE_INVALID', place, this.#section, message, remedy);
  }
}
