/**
 * Flows → what each endpoint of this host and each link carries. Series grow with endpoints and links, never with pairs: a link is
 * told by one host alone, which knows all flows that cross it from the others' announcements. Pure.
 */
import type { Epoch } from '../epoch/epoch.ts';

/** Of more endpoints or links of a host, those that carry most. */
export const MOST_SERIES = 1000;

export interface OwnFlow {
  readonly source: number;
  readonly destination: number;
  readonly rateBps: number;
  /** `Infinity`: nothing limits it. */
  readonly shareBps: number;
}

export interface Flows {
  readonly epoch: Pick<Epoch, 'graph' | 'lanes' | 'path'>;
  /** From endpoints of this host. */
  readonly own: readonly OwnFlow[];
  /** From endpoints of others. */
  readonly forEachRemote: (tell: (source: number, destination: number, rateBps: number) => void) => void;
  /** Endpoints of this host. */
  readonly local: readonly number[];
  /** Names of all hosts that are there, and of this one. */
  readonly hosts: readonly string[];
  readonly self: string;
}

export interface EndpointTraffic {
  readonly endpoint: number;
  sentBps: number;
  receivedBps: number;
  /** Of the flows with a limit. */
  shareBps: number;
}

export interface LinkTraffic {
  readonly link: number;
  rateBps: number;
  flows: number;
}

export interface Traffic {
  readonly endpoints: readonly EndpointTraffic[];
  readonly links: readonly LinkTraffic[];
  /** How many are left out. */
  readonly omitted: { readonly endpoints: number; readonly links: number };
}

export function trafficOf(
  { epoch, own, forEachRemote, local, hosts, self }: Flows,
  most = MOST_SERIES,
): Traffic {
  const endpoints = new Map(
    local.map((endpoint): [number, EndpointTraffic] => [
      endpoint,
      { endpoint, sentBps: 0, receivedBps: 0, shareBps: 0 },
    ]),
  );
  const links = new Map<number, LinkTraffic>();
  const names = hosts.toSorted();
  const isMine = (link: number): boolean => names[link % names.length] === self;
  const cross = (source: number, destination: number, rateBps: number): void => {
    const receiver = endpoints.get(epoch.lanes.endpointOf(destination));
    if (receiver) receiver.receivedBps += rateBps;
    for (const link of epoch.path(source, destination)?.links ?? []) {
      if (!isMine(link)) continue;
      const carried = links.get(link) ?? { link, rateBps: 0, flows: 0 };
      links.set(link, carried);
      carried.rateBps += rateBps;
      carried.flows++;
    }
  };
  for (const { source, destination, rateBps, shareBps } of own) {
    const sender = endpoints.get(source);
    if (sender) {
      sender.sentBps += rateBps;
      if (Number.isFinite(shareBps)) sender.shareBps += shareBps;
    }
    cross(source, destination, rateBps);
  }
  forEachRemote(cross);
  const told = {
    endpoints: busiest([...endpoints.values()], ({ sentBps, receivedBps }) => sentBps + receivedBps, most),
    links: busiest([...links.values()], ({ rateBps }) => rateBps, most),
  };
  const omitted = {
    endpoints: endpoints.size - told.endpoints.length,
    links: links.size - told.links.length,
  };
  return { ...told, omitted };
}

function busiest<Item>(all: readonly Item[], rateOf: (item: Item) => number, most: number): readonly Item[] {
  return all.length <= most ? all : all.toSorted((a, b) => rateOf(b) - rateOf(a)).slice(0, most);
}
