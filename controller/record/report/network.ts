/** The topology drawn with what its links carried, and the links as a table and as charts. Pure. */

import { formatRatio } from '../../../proto/units.ts';
import { count } from '../../../proto/words.ts';
import type { Graph } from '../../../topology/model/model.ts';
import { drawingOf } from '../../../topology/report/drawing.ts';
import { type LineLoad, svg } from '../../../topology/report/svg.ts';
import { figure, inert, rate, rounded, section, table } from './html.ts';
import type { LinkLoad, Loads } from './loads.ts';

/** With more nodes, a page shows a cloud. */
const MOST_NODES = 400;
/** Links with a chart of their own. */
const MOST_CHARTS = 6;

/** The topology alone. `undefined`: it has too many nodes to be looked at. */
export const sketchOf = (graph: Graph, title: string): string | undefined =>
  graph.nodes.length > MOST_NODES ? undefined : svg(drawingOf(graph), title);

export const chartedLinks = ({ links }: Loads): readonly LinkLoad[] => links.slice(0, MOST_CHARTS);

export function networkSection(loads: Loads, title: string): string {
  const { graph, links, isCoarse } = loads;
  const drawing = drawn(loads, title);
  const figures = chartedLinks(loads).map((link, index) => figure(`link-${index}`, nameOf(link)));
  const rows = links.map((link) => [
    nameOf(link),
    rate(link.meanBps),
    rate(link.mostBps),
    link.capacityBps === null ? 'no limit' : rate(link.capacityBps),
    link.used === null ? '' : formatRatio(rounded(link.used)),
  ]);
  return section(
    'network',
    'The topology, and what its links carried',
    drawing ??
      `<p class="note">${count(graph.nodes.length, 'node')}: too many to be drawn here; netfold graph draws them.</p>`,
    links.length === 0 ? '<p class="note">No link carried anything.</p>' : '',
    figures.length > 0
      ? `<p class="legend"><span>what flows sent over the link</span><span class="asked">its bandwidth</span></p><div class="charts">${figures.join('\n')}</div>`
      : '',
    rows.length > 0
      ? details(
          'All links that carried anything',
          table(['link', 'mean rate', 'greatest', 'bandwidth', 'used'], rows),
        )
      : '',
    isCoarse
      ? '<p class="note">The topology changed so often that paths were looked at 200 times over the run.</p>'
      : '',
  );
}

const details = (title: string, body: string): string =>
  `<details><summary>${inert(title)}</summary>${body}</details>`;

const nameOf = ({ from, to }: LinkLoad): string => `${from} → ${to}`;

function drawn({ graph, links }: Loads, title: string): string | undefined {
  if (graph.nodes.length > MOST_NODES) return undefined;
  const drawing = drawingOf(graph);
  const byEnds = new Map(links.map((link) => [nameOf(link), link]));
  const most = links.reduce((one, { meanBps }) => Math.max(one, meanBps), 1);
  const lineLoads = new Map<number, LineLoad>();
  for (const [number, { from, to }] of drawing.lines.entries()) {
    const [a, b] = [graph.nodes[from]!, graph.nodes[to]!];
    const both = [byEnds.get(`${a} → ${b}`), byEnds.get(`${b} → ${a}`)].filter((one) => one !== undefined);
    if (both.length === 0) continue;
    lineLoads.set(number, {
      // What has no bandwidth is drawn by what it carried beside the busiest one.
      part: Math.max(...both.map(({ used, meanBps }) => used ?? meanBps / most)),
      text: both.map(textOf).join('\n'),
    });
  }
  return `<div class="drawing">${svg(drawing, title, lineLoads)}</div>
<p class="legend scale"><span class="idle">idle</span><span class="half">half of the bandwidth</span><span class="full">all of it</span></p>`;
}

const textOf = (link: LinkLoad): string =>
  `${nameOf(link)}: ${rate(link.meanBps)}${link.used === null ? '' : `, ${formatRatio(rounded(link.used))} of its bandwidth`}`;
