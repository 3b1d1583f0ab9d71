/** A flowchart of Mermaid, as READMEs show it. */
import type { Impairment } from '../../proto/impairment.ts';
import { formatBps, formatMicros, formatRatio } from '../../proto/units.ts';
import type { Export } from './export.ts';
import { lostOf, nodeName } from './network.ts';

export const mermaid: Export = {
  name: 'mermaid',
  write(topology, heading) {
    const { services, bridges, links } = topology;
    const ids = new Map([...services, ...bridges].map(({ name }, index) => [name, `n${index}`]));
    const lines = [
      `%% ${heading}`,
      'graph LR',
      ...services.map(
        ({ name, replicas }) => `  ${ids.get(name)}["${replicas > 1 ? `${name} × ${replicas}` : name}"]`,
      ),
      ...bridges.map(({ name }) => `  ${ids.get(name)}(("${name}"))`),
      ...links.map(({ from, to, name, up, down }) => {
        const parts = [name, label(up, down)].filter((part) => part);
        const text = parts.length > 0 ? `|"${parts.join(': ')}"|` : '';
        return `  ${ids.get(nodeName(from))} ${down ? '---' : '-->'}${text} ${ids.get(nodeName(to))}`;
      }),
    ];
    const can = { jitter: true, loss: true, oneWay: true };
    return { text: `${lines.join('\n')}\n`, lost: lostOf(topology, can) };
  },
};

/** Of both directions, separated by a slash where they differ. */
function label(up: Impairment, down: Impairment | undefined): string {
  const texts = [
    (one: Impairment) => (one.latency > 0 ? formatMicros(one.latency) : ''),
    (one: Impairment) => (one.jitter > 0 ? `± ${formatMicros(one.jitter)}` : ''),
    (one: Impairment) => (one.loss > 0 ? `${formatRatio(one.loss)} lost` : ''),
    (one: Impairment) => (Number.isFinite(one.bandwidth) ? formatBps(one.bandwidth) : ''),
  ].map((of) => {
    const [there, back] = [of(up), of(down ?? up)];
    return there === back ? there : `${there || '–'} / ${back || '–'}`;
  });
  return texts.filter((text) => text !== '').join(', ');
}
