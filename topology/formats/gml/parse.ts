/**
 * GML, as the Topology Zoo, Shadow and NetworkX write it → `Topology`. topology/networks/ has the meaning of attributes.
 */
import { type Findings, quote } from '../../model/diagnostics.ts';
import type { ParsedFile } from '../../model/parsed-file.ts';
import type { Network, NetworkEdge, NetworkNode } from '../../networks/network.ts';
import { Notes } from '../../networks/notes.ts';
import { topologyOf } from '../../networks/topology.ts';
import { type GmlEntry, parseGml } from '../../syntax/gml.ts';

/** Gives `undefined` if there is nothing to check further; `findings` then has the reason. */
export function parseGmlGraph(
  text: string,
  file: string,
  name: string,
  findings: Findings,
): ParsedFile | undefined {
  const entries = parseGml(text, findings);
  if (!entries) return undefined;
  const notes = new Notes(findings);
  const [graph, ...others] = entries.filter(({ key }) => key === 'graph');
  if (!graph || typeof graph.value === 'string') {
    const place = graph ?? { line: 1, column: 1 };
    const message = 'this is not a topology: there is no graph [ … ]';
    findings.error('NOT_A_TOPOLOGY', place, 'graph', message, 'give a file of GML with a graph');
    return undefined;
  }
  for (const other of others) {
    const message = 'a second graph is left out: a topology is one network';
    notes.tell({ code: 'KEY_IGNORED', what: 'further graphs' }, other, 'graph', message, '');
  }
  const network = readGraph(graph.value, findings, notes);
  return findings.hasErrors ? undefined : topologyOf(network, { name, file, findings, notes });
}

function readGraph(entries: readonly GmlEntry[], findings: Findings, notes: Notes): Network {
  const isDirected = entries.some(({ key, value }) => key === 'directed' && value === '1');
  const nodes: NetworkNode[] = [];
  const edges: NetworkEdge[] = [];
  for (const entry of entries) {
    if (entry.key === 'node') nodes.push(...readNode(entry, findings, notes));
    else if (entry.key === 'edge') edges.push(...readEdge(entry, isDirected, findings, notes));
    else if (!['directed', 'multigraph'].includes(entry.key)) notes.drop(entry.key, 'graph', entry, 'graph');
  }
  return { nodes, edges };
}

function readNode(entry: GmlEntry, findings: Findings, notes: Notes): NetworkNode[] {
  const { line, column } = entry;
  const attributes = attributesOf(entry, 'node', notes);
  const id = demand('id', attributes, entry, findings);
  if (id === undefined) return [];
  return [{ id, attributes, place: { line, column }, field: `node ${shown(id)}` }];
}

function readEdge(entry: GmlEntry, isDirected: boolean, findings: Findings, notes: Notes): NetworkEdge[] {
  const { line, column } = entry;
  const attributes = attributesOf(entry, 'edge', notes);
  const source = demand('source', attributes, entry, findings);
  const target = demand('target', attributes, entry, findings);
  if (source === undefined || target === undefined) return [];
  const field = `edge ${shown(source)}-${shown(target)}`;
  return [{ source, target, isDirected, attributes, place: { line, column }, field }];
}

/** Mostly a number. */
function shown(id: string): string {
  return /^\w{1,40}$/.test(id) ? id : quote(id);
}

function demand(
  key: string,
  attributes: ReadonlyMap<string, string>,
  entry: GmlEntry,
  findings: Findings,
): string | undefined {
  const value = attributes.get(key);
  if (value === undefined)
    findings.error('KEY_MISSING', entry, entry.key, `${quote(key)} is missing`, `write e.g. ${key} 0`);
  return value;
}

/** Of a key that is there several times, the first; lists, such as `graphics`, are left out. */
function attributesOf(
  { key: owner, value, line, column }: GmlEntry,
  kind: string,
  notes: Notes,
): Map<string, string> {
  const attributes = new Map<string, string>();
  if (typeof value === 'string') return attributes;
  for (const entry of value) {
    if (typeof entry.value !== 'string') notes.drop(entry.key, kind, entry, owner);
    else if (!attributes.has(entry.key)) attributes.set(entry.key, entry.value);
    else {
      const message = `${quote(entry.key)} is there more than once: the first holds`;
      notes.tell(
        { code: 'KEY_DUPLICATE', what: 'keys that are repeated' },
        { line, column },
        owner,
        message,
        '',
      );
    }
  }
  return attributes;
}
