/**
 * Relationships of autonomous systems as CAIDA infers them (publicdata.caida.org/datasets/as-relationships: `serial-1` and `serial-2`)
 * → `Topology`: `a|b|-1`: a is a provider of b; `a|b|0`: they are peers. Paths are the shortest ones, not those without valleys.
 */
import { type Findings, quote } from '../../model/diagnostics.ts';
import type { ParsedFile } from '../../model/parsed-file.ts';
import type { NetworkEdge, NetworkNode } from '../../networks/network.ts';
import { Notes } from '../../networks/notes.ts';
import { topologyOf } from '../../networks/topology.ts';

const LINE = /^(\d{1,10})\|(\d{1,10})\|(-1|0|1|2)(?:\|.*)?$/;
const MAX_LINE = 1000;

/** Gives `undefined` if there is nothing to check further; `findings` then has the reason. */
export function parseCaida(
  text: string,
  file: string,
  name: string,
  findings: Findings,
): ParsedFile | undefined {
  const notes = new Notes(findings);
  const nodes = new Map<string, NetworkNode>();
  const edges: NetworkEdge[] = [];
  text.split('\n').forEach((line, index) => {
    const trimmed = line.slice(0, MAX_LINE).trim();
    if (trimmed === '' || trimmed.startsWith('#')) return;
    const place = { line: index + 1, column: 1 };
    const match = LINE.exec(trimmed);
    if (!match) {
      const message = `${quote(trimmed)} is no relationship`;
      findings.error(
        'VALUE_INVALID',
        place,
        '',
        message,
        'write AS|AS|-1 (provider and customer) or AS|AS|0 (peers)',
      );
      return;
    }
    const [, a, b] = match as unknown as [string, string, string];
    for (const id of [a, b])
      if (!nodes.has(id))
        nodes.set(id, { id, attributes: new Map([['label', `AS${id}`]]), place, field: `AS ${id}` });
    edges.push({ source: a, target: b, isDirected: false, attributes: new Map(), place, field: `${a}|${b}` });
  });
  const [first] = edges;
  if (first) {
    const message =
      'who is provider, customer or peer is left out: paths are the shortest ones, also through valleys';
    notes.tell(
      { code: 'KEY_IGNORED', what: 'relationships', shown: 1 },
      first.place,
      first.field,
      message,
      '',
    );
  }
  if (findings.hasErrors) return undefined;
  return topologyOf({ nodes: [...nodes.values()], edges }, { name, file, findings, notes });
}
