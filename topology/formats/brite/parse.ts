/**
 * Output of BRITE (Medina et al., "BRITE: Universal Topology Generation from a User's Perspective", 2001, section 6) →
 * `Topology`. Delays are in milliseconds, bandwidths in Mbit/s, as its exporters for simulators have them.
 */
import { type Findings, quote } from '../../model/diagnostics.ts';
import type { ParsedFile } from '../../model/parsed-file.ts';
import type { NetworkEdge, NetworkNode } from '../../networks/network.ts';
import { Notes } from '../../networks/notes.ts';
import { topologyOf } from '../../networks/topology.ts';

/** Columns of a node: id, x, y, degrees, AS, type; of an edge: id, ends, length, delay, bandwidth, AS of both, type. */
const [LEAST_OF_NODE, LEAST_OF_EDGE] = [1, 6];
const MAX_LINE = 1000;

/** Gives `undefined` if there is nothing to check further; `findings` then has the reason. */
export function parseBrite(
  text: string,
  file: string,
  name: string,
  findings: Findings,
): ParsedFile | undefined {
  const notes = new Notes(findings);
  const reader = new Reader(findings, notes);
  let number = 0;
  for (const line of text.split('\n')) reader.line(line, ++number);
  const { nodes, edges } = reader;
  if (reader.section === undefined) {
    const message = "this is no topology of BRITE's: it has neither Nodes: nor Edges:";
    findings.error(
      'NOT_A_TOPOLOGY',
      { line: 1, column: 1 },
      '',
      message,
      'give a file that BRITE has written',
    );
  }
  return findings.hasErrors ? undefined : topologyOf({ nodes, edges }, { name, file, findings, notes });
}

class Reader {
  readonly nodes: NetworkNode[] = [];
  readonly edges: NetworkEdge[] = [];
  section: 'nodes' | 'edges' | undefined;
  readonly #findings: Findings;
  readonly #notes: Notes;

  constructor(findings: Findings, notes: Notes) {
    this.#findings = findings;
    this.#notes = notes;
  }

  line(line: string, number: number): void {
    const trimmed = line.slice(0, MAX_LINE).trim();
    const heading = /^(Nodes|Edges)\s?:/.exec(trimmed)?.[1];
    if (heading !== undefined) this.section = heading === 'Nodes' ? 'nodes' : 'edges';
    else if (trimmed !== '' && this.section) {
      const words = trimmed.split(/\s+/);
      const place = { line: number, column: line.length - line.trimStart().length + 1 };
      if (this.section === 'nodes') this.#node(words, place);
      else this.#edge(words, place);
    }
  }

  #node(words: readonly string[], place: { line: number; column: number }): void {
    const [id] = words;
    if (words.length < LEAST_OF_NODE || !/^\d{1,15}$/.test(id!)) {
      this.#refuse(place, 'a node is: id x y indegree outdegree AS type');
      return;
    }
    if (words.length > 1) {
      const message = 'positions are on a plane without a scale: latencies come from delays';
      this.#notes.tell(
        { code: 'KEY_IGNORED', what: 'positions', shown: 1 },
        place,
        `node ${id}`,
        message,
        '',
      );
    }
    this.nodes.push({ id: id!, attributes: new Map(), place, field: `node ${id}` });
  }

  #edge(words: readonly string[], place: { line: number; column: number }): void {
    const [id, source, target, , delay, bandwidth] = words;
    if (words.length < LEAST_OF_EDGE) {
      this.#refuse(place, 'an edge is: id from to length delay bandwidth AS-from AS-to type');
      return;
    }
    const attributes = new Map<string, string>();
    // -1 stands for none.
    if (!delay!.startsWith('-')) attributes.set('delay_ms', delay!);
    if (!bandwidth!.startsWith('-')) attributes.set('bandwidth_mbps', bandwidth!);
    const field = `edge ${quote(id!)}`;
    const isDirected = words.at(-1) === 'D';
    this.edges.push({ source: source!, target: target!, isDirected, attributes, place, field });
  }

  #refuse(place: { line: number; column: number }, remedy: string): void {
    const message = `${quote(this.section ?? '')}: the line does not have what belongs there`;
    this.#findings.error('VALUE_INVALID', place, this.section ?? '', message, remedy);
  }
}
