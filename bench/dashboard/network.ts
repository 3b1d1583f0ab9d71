/** The network that the dashboard shows, and what flows in it: everything follows from its size and the number of the tick. Pure. */
import { topologyHash } from '../../proto/bootstrap.ts';
import type { FlowStatus } from '../../proto/status.ts';
import type { EncodedGraph } from '../../proto/view.ts';
import { expandGraph } from '../../topology/fold/graph.ts';
import { loadTopology } from '../../topology/load.ts';
import { encodeGraph } from '../../topology/model/graph-json.ts';
import { scaleFreeText } from '../measure/scale-free.ts';

export interface NetworkSize {
  /** Services and bridges together. */
  readonly nodes: number;
  readonly flows: number;
  readonly hosts: number;
}

/** As in the benches `scale` and `setup`. */
const SEED = 1;
const SHARE_BPS = 2e6;
/** Of so many flows, one is announced in each tick: agents announce what has changed by more than 5 %. */
const ANNOUNCED_EVERY = 50;

export interface PlayedEndpoint {
  readonly name: string;
  readonly host: string;
  readonly address: string;
}

export interface PlayedFlow extends Pick<FlowStatus, 'from' | 'to'> {
  readonly number: number;
  readonly host: string;
}

export interface PlayedNetwork {
  readonly topology: { readonly file: string; readonly text: string; readonly hash: string };
  readonly graph: EncodedGraph;
  readonly hosts: readonly string[];
  readonly endpoints: readonly PlayedEndpoint[];
  readonly flows: readonly PlayedFlow[];
}

/** What `netfold generate scale-free` prints, with its endpoints on the hosts in turn. */
export function playedNetwork({ nodes, flows, hosts }: NetworkSize): PlayedNetwork {
  const file = 'dashboard.yaml';
  const text = scaleFreeText(nodes, SEED);
  const { topology } = loadTopology(text, file);
  const graph = encodeGraph(expandGraph(topology));
  const endpoints = graph.endpoints.map((name, number) => ({
    ...{ name, host: `host${number % hosts}` },
    address: `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`,
  }));
  return {
    topology: { file, text, hash: topologyHash({ text }) },
    graph,
    hosts: Array.from({ length: hosts }, (_, number) => `host${number}`),
    endpoints,
    flows: Array.from({ length: flows }, (_, number) => {
      const { name: from, host } = endpoints[number]!;
      return { number, host, from, to: endpoints[receiverOf(number, endpoints.length)]!.name };
    }),
  };
}

/** Spread over all, and never the sender. */
function receiverOf(sender: number, count: number): number {
  const receiver = (sender * 37 + (count >> 1)) % count;
  return receiver === sender ? (receiver + 1) % count : receiver;
}

/** Every flow has another rate in each tick. */
export function rateOf({ number }: PlayedFlow, tick: number): number {
  return SHARE_BPS * (0.5 + 0.005 * ((number * 7 + tick * 13) % 100));
}

export function flowStatus(flow: PlayedFlow, tick: number): FlowStatus {
  const { from, to } = flow;
  return { from, to, rateBps: rateOf(flow, tick), shareBps: SHARE_BPS, greedy: true, limitedBy: null };
}

export const isAnnounced = ({ number }: PlayedFlow, tick: number): boolean =>
  (number + tick) % ANNOUNCED_EVERY === 0;

/** Of the path there and back, in milliseconds: as the topology is said to have it, and measured. */
export function roundTripOf({ number }: PlayedFlow, tick: number): { asked: number; measured: number } {
  const asked = 20 + (number % 50);
  return { asked, measured: asked + 0.01 * ((number + tick) % 100) };
}
