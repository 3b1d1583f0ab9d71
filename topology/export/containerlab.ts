/** A lab of containerlab (https://containerlab.dev/manual/topo-def-file/). */
import type { Impairment } from '../../proto/impairment.ts';
import { formatMicros, toKilobits, toPercent } from '../../proto/units.ts';
import { count } from '../../proto/words.ts';
import type { Topology } from '../model/model.ts';
import type { Export } from './export.ts';
import { type FlatNode, lostOf, type Network, networkOf, plainNames } from './network.ts';

/** Linux has names of interfaces up to this. */
const MAX_INTERFACE = 15;
/** Of hosts: a bridge is one of the host's own. */
const MAX_NAME = 40;
/** For services without one: the smallest that has a shell. */
const IMAGE = 'alpine:3';

export const containerlab: Export = {
  name: 'containerlab',
  write(topology, heading) {
    const network = networkOf(topology);
    const names = [
      ...plainNames(network.nodes, MAX_NAME).map((name, index) =>
        network.nodes[index]!.service || name.length <= MAX_INTERFACE ? name : `br${index}`,
      ),
    ];
    const interfaces = interfacesOf(network, names);
    const lines = [
      `# ${heading}`,
      `name: ${topology.name}`,
      'topology:',
      '  nodes:',
      ...network.nodes.map((node, index) => `    ${JSON.stringify(names[index])}: ${nodeText(node)}`),
      ...(network.links.length > 0 ? ['  links:'] : []),
      ...network.links.map(({ from, to }, index) => {
        const [a, b] = interfaces[index]!;
        return `    - endpoints: ${JSON.stringify([`${names[from]}:${a}`, `${names[to]}:${b}`])}`;
      }),
    ];
    const commands = netemCommands(topology, network, names, interfaces);
    if (commands.lines.length > 0)
      lines.push('', '# What the links do to packets, after containerlab deploy:', ...commands.lines);
    return {
      text: `${lines.join('\n')}\n`,
      lost: [...lostOf(topology, CAN), ...assumed(network), ...commands.lost],
    };
  },
};

const CAN = { commands: true, images: true, jitter: true, loss: true };

function nodeText({ service }: FlatNode): string {
  if (!service) return '{ kind: bridge }';
  const { image = IMAGE, command, run, env } = service;
  const words = command ?? (run === undefined ? undefined : ['/bin/sh', '-c', run]);
  const fields = [
    'kind: linux',
    `image: ${JSON.stringify(image)}`,
    ...(words ? [`cmd: ${JSON.stringify(words.map(shellWord).join(' '))}`] : []),
    ...(env ? [`env: ${JSON.stringify(env)}`] : []),
  ];
  return `{ ${fields.join(', ')} }`;
}

/** containerlab cuts `cmd` into words as a shell does. */
function shellWord(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** eth0 is of the management network. Those of a bridge are the host's own, where names must not repeat. */
function interfacesOf({ nodes, links }: Network, names: readonly string[]): [string, string][] {
  const next = new Map<number, number>();
  const nameOf = (node: number): string => {
    const number = (next.get(node) ?? 0) + 1;
    next.set(node, number);
    if (nodes[node]!.service) return `eth${number}`;
    const long = `${names[node]}-${number}`;
    return long.length <= MAX_INTERFACE ? long : `b${node}-${number}`;
  };
  return links.map(({ from, to }) => [nameOf(from), nameOf(to)]);
}

/** A container's own interface shapes what it sends; what a bridge sends to it has none. */
function netemCommands(
  topology: Topology,
  { nodes, links }: Network,
  names: readonly string[],
  interfaces: readonly (readonly [string, string])[],
): { lines: string[]; lost: string[] } {
  const lines: string[] = [];
  let lost = 0;
  links.forEach(({ from, to, up, down }, index) => {
    for (const [node, port, of] of [
      [from, interfaces[index]![0], up],
      [to, interfaces[index]![1], down],
    ] as const) {
      const flags = of && netemFlags(of);
      if (!flags) continue;
      if (nodes[node]!.service)
        lines.push(
          `# containerlab tools netem set -n clab-${topology.name}-${names[node]} -i ${port} ${flags}`,
        );
      else lost++;
    }
  });
  const what = 'link direction';
  return {
    lines,
    lost:
      lost > 0
        ? [
            `${count(lost, what)}: a bridge of the host sends there, which netem of containerlab does not shape`,
          ]
        : [],
  };
}

function netemFlags({ latency, jitter, loss, bandwidth }: Impairment): string {
  const kilobits = Number.isFinite(bandwidth) ? toKilobits(bandwidth) : 0;
  return [
    ...(latency > 0 || jitter > 0 ? [`--delay ${formatMicros(latency)}`] : []),
    ...(jitter > 0 ? [`--jitter ${formatMicros(jitter)}`] : []),
    ...(loss > 0 ? [`--loss ${toPercent(loss)}`] : []),
    ...(kilobits > 0 ? [`--rate ${kilobits}`] : []),
  ].join(' ');
}

function assumed({ nodes }: Network): string[] {
  const without = nodes.filter(({ service }) => service && service.image === undefined).length;
  const bridges = nodes.some(({ service }) => !service);
  return [
    ...(without > 0 ? [`${count(without, 'node')} without an image: ${IMAGE} is written`] : []),
    ...(bridges ? ['bridges: containerlab wants them on the host: ip link add NAME type bridge'] : []),
    ...(nodes.length > 0 ? ['addresses and routes: the containers have none on these interfaces'] : []),
  ];
}
