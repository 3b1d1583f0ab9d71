/** A topology as networks of other programs are: a node for each replica, a link for each pair of them. */
import type { Impairment } from '../../proto/impairment.ts';
import { count } from '../../proto/words.ts';
import type { LinkPair, Service, Topology } from '../model/model.ts';
import { endpointName, parseReference } from '../model/names.ts';

export interface FlatNode {
  /** `client.0`; with one replica `client`. */
  readonly name: string;
  /** Absent: a bridge. */
  readonly service?: Service;
}

export interface FlatLink {
  /** Numbers of nodes. */
  readonly from: number;
  readonly to: number;
  readonly up: Impairment;
  /** Absent: one-way. */
  readonly down?: Impairment;
  readonly pair: LinkPair;
}

export interface Network {
  readonly nodes: readonly FlatNode[];
  readonly links: readonly FlatLink[];
}

export function networkOf({ services, bridges, links }: Topology): Network {
  const nodes: FlatNode[] = [];
  const numbers = new Map<string, number[]>();
  for (const service of services) {
    const { name, replicas } = service;
    const own = Array.from({ length: replicas }, (_, replica) => {
      const number = nodes.push({ name: replicas === 1 ? name : endpointName(name, replica), service }) - 1;
      numbers.set(endpointName(name, replica), [number]);
      return number;
    });
    numbers.set(name, own);
  }
  for (const { name } of bridges) numbers.set(name, [nodes.push({ name }) - 1]);
  const flat = links.flatMap((pair) =>
    numbers.get(pair.from)!.flatMap((from) =>
      numbers.get(pair.to)!.map((to): FlatLink => {
        const { up, down } = pair;
        return { from, to, up, ...(down && { down }), pair };
      }),
    ),
  );
  return { nodes, links: flat };
}

/** What a program can express; all else is told. */
export interface Abilities {
  readonly commands?: boolean;
  readonly images?: boolean;
  readonly jitter?: boolean;
  readonly loss?: boolean;
  readonly queue?: boolean;
  readonly oneWay?: boolean;
  readonly weights?: boolean;
}

/** One sentence for each kind of thing that is left out. */
export function lostOf(topology: Topology, can: Abilities): string[] {
  const { services, links, events, routes = [], routing, ecmp, transmission } = topology;
  const lost: string[] = [];
  const tell = (number: number, what: string, why: string): void => {
    if (number > 0) lost.push(`${count(number, what)}: ${why}`);
  };
  const directions = links.flatMap(({ up, down }) => (down ? [up, down] : [up]));
  const having = (test: (one: Impairment) => boolean): number => directions.filter(test).length;
  tell(events.length, 'event', 'nothing happens there at a time');
  tell(routes.length, 'route', 'paths are found there by other rules');
  if (routing !== 'latency') lost.push(`routing: ${routing}: paths are found there by other rules`);
  if (ecmp !== undefined) lost.push(`ecmp: ${ecmp}: say there how many paths flows are spread over`);
  if (transmission) lost.push(`transmission: ${transmission}`);
  if (!can.commands)
    tell(services.filter(({ run }) => run !== undefined).length, 'command', 'run there by hand');
  if (!can.images)
    tell(services.filter(({ image }) => image !== undefined).length, 'image', 'no containers there');
  tell(
    services.filter((one) => SETTINGS.some((key) => one[key] !== undefined)).length,
    'service',
    `its ${SETTINGS.join(', ')} have no counterpart`,
  );
  tell(
    services.filter(({ shareLinks, replicas }) => shareLinks && replicas > 1).length,
    'service',
    'each of its replicas has a link of its own there',
  );
  if (!can.jitter)
    tell(
      having(({ jitter }) => jitter > 0),
      'link direction',
      'no jitter there',
    );
  tell(
    having(({ distribution }) => distribution !== undefined && distribution !== 'normal'),
    'link direction',
    'no distribution of the jitter there',
  );
  for (const [name, what] of RARE)
    tell(
      having((one) => one[name] !== undefined),
      'link direction',
      `no ${what} there`,
    );
  if (!can.loss)
    tell(
      having(({ loss }) => loss > 0),
      'link direction',
      'no loss there',
    );
  if (!can.queue)
    tell(
      having(
        (one) =>
          one.queuePackets !== undefined || one.queueBytes !== undefined || one.queueTime !== undefined,
      ),
      'link direction',
      'no size of the queue there',
    );
  if (!can.oneWay)
    tell(links.filter(({ down }) => !down).length, 'one-way link', 'it has both directions there');
  if (!can.weights) tell(links.filter(({ weights }) => weights).length, 'link', 'no weight there');
  const related = links.filter(({ relationship }) => relationship).length;
  tell(related, 'link', 'no customers, peers and providers there');
  return lost;
}

const RARE = [
  ['quantiles', 'distribution of the jitter'],
  ['jitterCorrelation', 'correlation of the jitter'],
  ['lossModel', 'model of loss'],
  ['duplicate', 'duplicates'],
  ['corrupt', 'corruption'],
  ['reorder', 'reordering'],
  ['slots', 'slots'],
  ['aqm', 'management of its queue'],
  ['overhead', 'overhead of frames'],
  ['mtu', 'MTU'],
  ['rules', 'rules for parts of the traffic'],
  ['trace', 'trace, but its means,'],
] as const;

const SETTINGS = [
  'restart',
  'ready',
  'after',
  'cwd',
  'user',
  'processes',
  'descriptors',
  'capAdd',
  'capDrop',
] as const;

/** Names without the dot of replicas, each once, and not longer than `most`. */
export function plainNames(nodes: readonly FlatNode[], most: number): string[] {
  const used = new Set(nodes.map(({ name }) => name).filter((name) => isPlain(name, most)));
  return nodes.map(({ name, service }, index) => {
    if (isPlain(name, most)) return name;
    const wanted = name.replaceAll('.', '-');
    const short = wanted.length <= most ? wanted : `${service ? 'h' : 's'}${index}`;
    let unique = short;
    for (let number = 2; used.has(unique); number++) unique = `${short.slice(0, most - 6)}-${number}`;
    used.add(unique);
    return unique;
  });
}

const isPlain = (name: string, most: number): boolean => !name.includes('.') && name.length <= most;

/** Of a reference, for programs that have services as a whole. */
export function nodeName(reference: string): string {
  return parseReference(reference)?.name ?? reference;
}
