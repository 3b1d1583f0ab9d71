/**
 * Files of MiniEdit, Mininet's editor (mininet/examples/miniedit.py) → `Topology`: hosts, switches, and links with `bw` in Mbit/s, `delay`,
 * `loss` in percent, `jitter`. Controllers are left out.
 */
import type { Findings } from '../../model/diagnostics.ts';
import type { ParsedFile } from '../../model/parsed-file.ts';
import { itemsOf, memberOf, placeOf, required, scalarOf } from '../../networks/json-lists.ts';
import { type LabNode, labOf } from '../../networks/lab.ts';
import type { NetworkEdge } from '../../networks/network.ts';
import { Notes } from '../../networks/notes.ts';
import { type Json, parseJson } from '../../syntax/json.ts';

const USED = ['hosts', 'switches', 'links', 'version'];
/** An option of a link → what topology/networks/vocabulary.ts knows. */
const OPTIONS: ReadonlyMap<string, string> = new Map([
  ['bw', 'bandwidth_mbps'],
  ['delay', 'delay'],
  ['jitter', 'jitter'],
  ['loss', 'loss'],
]);

/** Gives `undefined` if there is nothing to check further; `findings` then has the reason. */
export function parseMiniEdit(
  text: string,
  file: string,
  name: string,
  findings: Findings,
): ParsedFile | undefined {
  const root = parseJson(text, findings);
  if (!root) return undefined;
  if (root.kind !== 'object' || memberOf(root, 'hosts')?.kind !== 'array') {
    const message = 'this is no file of MiniEdit: it has no list "hosts"';
    findings.error('NOT_A_TOPOLOGY', root, '', message, 'give a file that MiniEdit has saved');
    return undefined;
  }
  const notes = new Notes(findings);
  for (const [key, value] of root.members) if (!USED.includes(key)) notes.drop(key, 'graph', value, '');
  const reader = new Reader(findings, notes);
  const nodes = [...reader.nodes(root, 'hosts', 'host'), ...reader.nodes(root, 'switches', 'switch')];
  const edges = itemsOf(memberOf(root, 'links')).flatMap((item, index) =>
    reader.edge(item, `links[${index}]`),
  );
  return findings.hasErrors ? undefined : labOf({ nodes, edges }, { name, file, findings, notes });
}

class Reader {
  readonly #findings: Findings;
  readonly #notes: Notes;

  constructor(findings: Findings, notes: Notes) {
    this.#findings = findings;
    this.#notes = notes;
  }

  nodes(root: Json, list: string, kind: 'host' | 'switch'): LabNode[] {
    return itemsOf(memberOf(root, list)).flatMap((item, index): LabNode[] => {
      const field = `${list}[${index}]`;
      const options = memberOf(item, 'opts');
      const id = required(options ?? item, 'hostname', field, this.#findings);
      if (id === undefined) return [];
      const isRouter = scalarOf(memberOf(options, 'switchType')) === 'legacyRouter';
      const run = kind === 'host' ? scalarOf(memberOf(options, 'startCommand')) : undefined;
      if (options?.kind === 'object')
        for (const [key, value] of options.members)
          if (!['hostname', 'nodeNum', 'switchType', 'startCommand'].includes(key))
            this.#notes.drop(key, 'node', value, field);
      const start = run?.trim() ? { run } : {};
      return [{ id, label: id, kind: isRouter ? 'router' : kind, ...start, place: placeOf(item), field }];
    });
  }

  edge(item: Json, field: string): NetworkEdge[] {
    const source = required(item, 'src', field, this.#findings);
    const target = required(item, 'dest', field, this.#findings);
    if (source === undefined || target === undefined) return [];
    const attributes = new Map<string, string>();
    const options = memberOf(item, 'opts');
    if (options?.kind === 'object')
      for (const [key, value] of options.members) {
        const text = scalarOf(value)?.trim();
        const attribute = OPTIONS.get(key);
        if (!text) continue;
        if (attribute === undefined) this.#notes.drop(key, 'edge', value, field);
        // In percent. A delay without a unit is tc's, in microseconds.
        else if (key === 'loss') attributes.set(attribute, `${text}%`);
        else attributes.set(attribute, key !== 'bw' && /^[\d.]+$/.test(text) ? `${text}us` : text);
      }
    return [{ source, target, isDirected: false, attributes, place: placeOf(item), field }];
  }
}
