/** GraphML (http://graphml.graphdrawing.org/specification.html), with attributes that netfold and NetworkX read. */
import type { Impairment } from '../../proto/impairment.ts';
import { formatMicros } from '../../proto/units.ts';
import type { Export } from './export.ts';
import { lostOf, networkOf } from './network.ts';

const KEYS = [
  ['label', 'node', 'string'],
  ['kind', 'node', 'string'],
  ['latency', 'edge', 'string'],
  ['jitter', 'edge', 'string'],
  ['packet_loss', 'edge', 'double'],
  ['bandwidth', 'edge', 'double'],
  ['weight', 'edge', 'long'],
] as const;

export const graphml: Export = {
  name: 'graphml',
  write(topology, heading) {
    const { nodes, links } = networkOf(topology);
    const lines = [
      '<?xml version="1.0" encoding="UTF-8"?>',
      `<!-- ${heading.replaceAll('--', '- -')} -->`,
      '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">',
      ...KEYS.map(
        ([name, kind, type]) => `  <key id="${name}" for="${kind}" attr.name="${name}" attr.type="${type}"/>`,
      ),
      '  <graph id="network" edgedefault="directed">',
      ...nodes.map(
        ({ name, service }, index) =>
          `    <node id="n${index}">${data('label', name)}${data('kind', service ? 'service' : 'bridge')}</node>`,
      ),
    ];
    const edge = (from: number, to: number, of: Impairment, weight: number | undefined): void => {
      lines.push(`    <edge source="n${from}" target="n${to}">${values(of, weight)}</edge>`);
    };
    for (const { from, to, up, down, pair } of links) {
      edge(from, to, up, pair.weights?.up);
      if (down) edge(to, from, down, pair.weights?.down);
    }
    lines.push('  </graph>', '</graphml>', '');
    const can = { jitter: true, loss: true, oneWay: true, weights: true };
    return { text: lines.join('\n'), lost: lostOf(topology, can) };
  },
};

function values({ latency, jitter, loss, bandwidth }: Impairment, weight: number | undefined): string {
  return [
    data('latency', formatMicros(latency)),
    jitter > 0 ? data('jitter', formatMicros(jitter)) : '',
    loss > 0 ? data('packet_loss', String(loss)) : '',
    Number.isFinite(bandwidth) ? data('bandwidth', String(bandwidth)) : '',
    weight === undefined ? '' : data('weight', String(weight)),
  ].join('');
}

/** Names and numbers have no characters that XML wants escaped. */
function data(key: string, value: string): string {
  return `<data key="${key}">${value}</data>`;
}
