/**
 * Relationships of autonomous systems as CAIDA infers them (publicdata.caida.org/datasets/as-relationships: `serial-1` and `serial-2`)
 * → `Topology`: `a|b|-1`: a is a provider of b; `a|b|0`: they are peers. Paths are those without valleys. Files up to 2007 also have
 * `a|b|1` and `a|b|2`: a is a provider of b, and they are siblings; there, `a|b|-1` says that a is a customer of b.
 */
import { type Findings, quote } from '../../model/diagnostics.ts';
import type { Relationship } from '../../model/model.ts';
import type { ParsedFile } from '../../model/parsed-file.ts';
import type { NetworkEdge, NetworkNode } from '../../networks/network.ts';
import { Notes } from '../../networks/notes.ts';
import { topologyOf } from '../../networks/topology.ts';

const LINE = /^(\d{1,10})\|(\d{1,10})\|(-1|0|1|2)(?:\|.*)?$/;
const MAX_LINE = 1000;
const IS_OLD = /^\d{1,10}\|\d{1,10}\|[12]\s*$/m;

/** What the second system is for the first one. Siblings are as one system. */
const MEANINGS: Readonly<Record<string, Relationship>> = { '-1': 'customer', '0': 'peer' };
const OLD_MEANINGS: Readonly<Record<string, Relationship>> = {
  '-1': 'provider',
  '0': 'peer',
  '1': 'customer',
};

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
  const meanings = IS_OLD.test(text) ? OLD_MEANINGS : MEANINGS;
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
    const [, a, b, kind] = match as unknown as [string, string, string, string];
    for (const id of [a, b])
      if (!nodes.has(id))
        nodes.set(id, { id, attributes: new Map([['label', `AS${id}`]]), place, field: `AS ${id}` });
    const relationship = meanings[kind];
    edges.push({
      ...{ source: a, target: b, isDirected: false, attributes: new Map(), place, field: `${a}|${b}` },
      ...(relationship && { relationship }),
    });
  });
  if (findings.hasErrors) return undefined;
  const network = { nodes: [...nodes.values()], edges, routing: 'valley-free' } as const;
  return topologyOf(network, { name, file, findings, notes });
}
