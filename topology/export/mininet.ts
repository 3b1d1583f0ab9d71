/** A script for Mininet's Python API (mininet.net, mininet.link.TCLink). */
import type { Impairment } from '../../proto/impairment.ts';
import { formatMicros, toMegabits, toPercent } from '../../proto/units.ts';
import { count } from '../../proto/words.ts';
import type { Export } from './export.ts';
import { lostOf, networkOf, plainNames } from './network.ts';

/** `NAME-eth99` has to be a name of an interface, of 15 characters at most. */
const MAX_NAME = 9;
/** TCIntf refuses more (mininet/link.py). */
const MAX_MEGABITS = 1000;

export const mininet: Export = {
  name: 'mininet',
  write(topology, heading) {
    const { nodes, links } = networkOf(topology);
    const names = plainNames(nodes, MAX_NAME);
    let tooFast = 0;
    const parameters = (of: Impairment): string => {
      if (Number.isFinite(of.bandwidth) && toMegabits(of.bandwidth) > MAX_MEGABITS) tooFast++;
      return parametersOf(of);
    };
    const hosts = nodes.flatMap((node, index) => (node.service ? [{ ...node, id: names[index]! }] : []));
    const body = [
      ...nodes.map(({ name, service }, index) => {
        const id = names[index]!;
        const note = name === id ? '' : `  # ${name}`;
        // Without a dpid, Mininet wants a number in the name of a switch.
        return service
          ? `    net.addHost(${python(id)})${note}`
          : `    net.addSwitch(${python(id)}, dpid=${python((index + 1).toString(16).padStart(16, '0'))}, stp=True)${note}`;
      }),
      ...links.map(
        ({ from, to, up, down }) =>
          `    net.addLink(${python(names[from]!)}, ${python(names[to]!)}, params1=${parameters(up)}, params2=${parameters(down ?? up)})`,
      ),
      '    net.start()',
      '    net.waitConnected()',
      ...hosts.flatMap(({ service, id }) =>
        service!.run === undefined
          ? []
          : [`    net.get(${python(id)}).popen(['/bin/sh', '-c', ${python(service!.run)}])`],
      ),
    ];
    const text = [
      '#!/usr/bin/env python3',
      `# ${heading} Run it as root.`,
      'from mininet.cli import CLI',
      'from mininet.link import TCLink',
      'from mininet.log import setLogLevel',
      'from mininet.net import Mininet',
      'from mininet.node import OVSBridge',
      '',
      '',
      'def main():',
      '    net = Mininet(controller=None, switch=OVSBridge, link=TCLink)',
      ...body,
      '    CLI(net)',
      '    net.stop()',
      '',
      '',
      "if __name__ == '__main__':",
      "    setLogLevel('info')",
      '    main()',
      '',
    ].join('\n');
    const renamed = nodes.filter(({ name }, index) => name !== names[index]).length;
    const lost = [
      ...lostOf(topology, { commands: true, jitter: true, loss: true }),
      ...(renamed > 0
        ? [`${count(renamed, 'name')}: interfaces there have short names; comments have the long ones`]
        : []),
      ...(tooFast > 0 ? [`${count(tooFast, 'bandwidth')} above 1 Gb/s: Mininet has no limit there`] : []),
      ...(links.length >= nodes.length
        ? ['paths: a spanning tree of the switches, not the shortest ones']
        : []),
    ];
    return { text, lost };
  },
};

function parametersOf({ latency, jitter, loss, bandwidth }: Impairment): string {
  const megabits = toMegabits(bandwidth);
  const fields = [
    ...(Number.isFinite(megabits) && megabits <= MAX_MEGABITS ? [`'bw': ${megabits}`] : []),
    ...(latency > 0 ? [`'delay': '${formatMicros(latency)}'`] : []),
    ...(jitter > 0 ? [`'jitter': '${formatMicros(jitter)}'`] : []),
    ...(loss > 0 ? [`'loss': ${toPercent(loss)}`] : []),
  ];
  return `{${fields.join(', ')}}`;
}

/** A text of Python: JSON's escapes are Python's, but for pairs of surrogates. */
function python(text: string): string {
  return JSON.stringify(text).replace(/[\ud800-\udbff][\udc00-\udfff]/g, (pair) => {
    return `\\U${pair.codePointAt(0)!.toString(16).padStart(8, '0')}`;
  });
}
