/** What a picture of a graph shows: nodes, and lines between them with their labels. Pure. */
import { formatBps, formatMicros, formatRatio } from '../../proto/units.ts';
import type { Graph, GraphLink } from '../model/model.ts';
import { serviceOf } from '../model/names.ts';

export interface DrawnNode {
  readonly name: string;
  readonly isBridge: boolean;
  /** No link leads to it, such as one that has left. */
  readonly isAlone: boolean;
}

export interface DrawnLine {
  /** Indices of nodes. */
  readonly from: number;
  readonly to: number;
  /** `both`: the same in both directions, or with a label for each. */
  readonly isBoth: boolean;
  readonly label: string;
  readonly loses: boolean;
}

export interface Drawing {
  readonly nodes: readonly DrawnNode[];
  readonly lines: readonly DrawnLine[];
}

export function drawingOf({ nodes, endpoints, edges, links }: Graph): Drawing {
  const touched = new Set(edges.flatMap(({ from, to }) => [from, to]));
  const single = singles(endpoints);
  const byEnds = new Map(edges.map((edge) => [`${edge.from} ${edge.to}`, edge]));
  const lines: DrawnLine[] = [];
  for (const { from, to, link } of edges) {
    const back = byEnds.get(`${to} ${from}`);
    // Of a pair, the one that was written first speaks for both.
    if (back && (back.link < link || (back.link === link && to < from))) continue;
    const [there, here] = [links[link]!, back && links[back.link]!];
    const [a, b] = [textOf(there), here && textOf(here)];
    const label = b === undefined || a === b ? a : `→ ${a} / ← ${b}`;
    lines.push({ from, to, isBoth: back !== undefined, label, loses: there.loss + (here?.loss ?? 0) > 0 });
  }
  return {
    nodes: nodes.map((name, node) => ({
      name: node < endpoints.length && single.has(name) ? serviceOf(name) : name,
      isBridge: node >= endpoints.length,
      isAlone: !touched.has(node),
    })),
    lines,
  };
}

/** Endpoints of services with one replica, which the service's name means. */
function singles(endpoints: readonly string[]): Set<string> {
  const counts = new Map<string, number>();
  for (const name of endpoints) counts.set(serviceOf(name), (counts.get(serviceOf(name)) ?? 0) + 1);
  return new Set(endpoints.filter((name) => counts.get(serviceOf(name)) === 1));
}

/** Latency, jitter, loss and bandwidth, as far as there are any. */
function textOf({ latency, jitter, loss, bandwidth }: GraphLink): string {
  const parts = [
    latency > 0 ? formatMicros(latency) + (jitter > 0 ? ` ± ${formatMicros(jitter)}` : '') : '',
    Number.isFinite(bandwidth) ? formatBps(bandwidth) : '',
    loss > 0 ? `${formatRatio(loss)} loss` : '',
  ];
  return parts.filter((part) => part !== '').join(', ');
}

/** For Mermaid (`flowchart`). */
export function mermaid({ nodes, lines }: Drawing): string {
  const text = (label: string): string => `"${label.replaceAll('"', '#quot;')}"`;
  const box = ({ name, isBridge }: DrawnNode, number: number): string =>
    isBridge ? `  n${number}{{${text(name)}}}` : `  n${number}(${text(name)})`;
  const line = ({ from, to, isBoth, label }: DrawnLine): string =>
    `  n${from} ${isBoth ? '---' : '-->'}${label === '' ? '' : `|${text(label)}|`} n${to}`;
  return `${['flowchart LR', ...nodes.map(box), ...lines.map(line)].join('\n')}\n`;
}

/** For Graphviz. */
export function dot({ nodes, lines }: Drawing, title: string): string {
  const text = (label: string): string => `"${label.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  const box = ({ name, isBridge }: DrawnNode, number: number): string =>
    `  n${number} [label=${text(name)}, shape=${isBridge ? 'diamond' : 'box'}];`;
  const line = ({ from, to, isBoth, label }: DrawnLine): string =>
    `  n${from} -> n${to} [label=${text(label)}${isBoth ? ', dir=none' : ''}];`;
  return `${[`digraph ${text(title)} {`, ...nodes.map(box), ...lines.map(line), '}'].join('\n')}\n`;
}
