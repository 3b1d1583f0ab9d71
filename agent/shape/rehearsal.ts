/**
 * A rehearsal: changes of the topology are applied to interfaces that don't exist, so that the first real change is
 * as fast as the hundredth. New code is interpreted, and compiled while events are due: the first twenty took 5 to 17
 * ms each, later ones 2 (`npm run bench -- events`).
 */

import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import { bps, micros } from '../../proto/units.ts';
import type { Graph } from '../../topology/model/model.ts';
import type { Clock, Processor, Timers } from '../clock/clock.ts';
import { Enforcer } from '../enforce/enforcer.ts';
import { MOST_GSO_SEGMENTS, untouched } from '../enforce/interface-state.ts';
import type { DelayBackend, TcPort } from '../enforce/ports.ts';
import { Epoch } from '../epoch/epoch.ts';
import type { Flow } from '../share/model.ts';
import { SharedFlows } from '../share/shared-flows.ts';
import type { Rates } from './pair-paths.ts';
import { type KnownEndpoint, Shaping } from './shaping.ts';

/** So many pairs are enough to run all of the code, and few enough for a change to take milliseconds. */
const PAIRS = 1024;
const FLOWS = 64;
/** With more endpoints, changes take long in any case. */
const MOST_ENDPOINTS = 32_768;

/**
 * How long changes are rehearsed without the kernel, and how long the installed state is sent to the kernel again;
 * and how long a change takes on a quick machine at most. A longer one with priority over packets would delay them.
 */
export const REHEARSAL = { changesMs: 250, reassertMs: 150, quickMs: 4 } as const;

export interface Rehearsed {
  readonly epoch: Epoch;
  readonly local: readonly LocalEndpoint[];
  /** The backend in use; nothing is sent to it. */
  readonly delay: Pick<DelayBackend, 'name' | 'inQueue'>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly processor: Processor;
}

/**
 * Rehearses for so long, and lets other work have its turn after each change. Returns the mean processor time of this
 * thread per change, milliseconds; `Infinity` if none was made.
 */
export async function rehearse(rehearsed: Rehearsed, milliseconds: number): Promise<number> {
  const { epoch, delay, clock, timers, processor } = rehearsed;
  const local = rehearsed.local.slice(0, Math.max(1, Math.floor(PAIRS / epoch.graph.endpoints.length)));
  if (local.length === 0 || epoch.graph.endpoints.length > MOST_ENDPOINTS) return Number.POSITIVE_INFINITY;
  const known = epoch.graph.endpoints
    .slice(0, Math.floor(PAIRS / local.length))
    .map((_, number) => ({ number, addresses: [`10.0.${number >> 8}.${number & 255}`] }));
  const enforcer = new Enforcer({ tc: NO_INTERFACES, delay: noDelays(delay), clock, timers });
  const shaping = new Shaping({ enforcer, epoch, clock, timers, expected: local.length });
  for (const endpoint of local) await shaping.attach(endpoint);
  await shaping.setKnown(known);
  const flows = flowsBetween(local, known);
  const end = clock.now() + milliseconds;
  const usedMs = processor.usedMs();
  let count = 0;
  for (let before = epoch; clock.now() < end; count++) {
    const next = new Epoch(changed(epoch.graph, count), before);
    const shared = new SharedFlows(next.network);
    shared.update(flows);
    await shaping.setEpoch(next, ratesOf(shared));
    before = next;
    await timers.turn();
  }
  return (processor.usedMs() - usedMs) / count;
}

/** The demands of the others are all different. */
const DEMAND_STEP_BPS = 1e6;

/** Half of the flows are greedy. */
function flowsBetween(local: readonly LocalEndpoint[], known: readonly KnownEndpoint[]): Flow[] {
  const pairs = local.flatMap(({ number }) => known.map((other) => [number, other.number] as const));
  return pairs
    .filter(([source, destination]) => source !== destination)
    .slice(0, FLOWS)
    .map(([source, destination], index) => ({
      ...{ source, destination },
      demandBps: index % 2 === 0 ? Number.POSITIVE_INFINITY : DEMAND_STEP_BPS * index,
    }));
}

/** One link after the other is slower, narrower or gone. */
function changed(graph: Graph, count: number): Graph {
  const chosen = Math.floor(count / 3) % Math.max(1, graph.links.length);
  if (count % 3 === 2) return { ...graph, edges: graph.edges.filter(({ link }) => link !== chosen) };
  const links = graph.links.map((link, index) => {
    if (index !== chosen) return link;
    return count % 3 === 0
      ? { ...link, latency: micros(link.latency + 1000) }
      : { ...link, bandwidth: bps(Math.min(link.bandwidth, 1e9) / 2) };
  });
  return { ...graph, links };
}

function ratesOf(shared: SharedFlows): Rates {
  const rates = new Map<number, Map<number, number>>();
  for (const { source, destination, ceilingBps } of shared.local()) {
    const ofSource = rates.get(source) ?? new Map<number, number>();
    rates.set(source, ofSource.set(destination, ceilingBps));
  }
  return rates;
}

const NO_INTERFACES: TcPort = {
  attach: () => {},
  detach: () => {},
  read: () => untouched('none', MOST_GSO_SEGMENTS),
  apply: () => [],
  stats: () => ({ waiting: 0, held: 0, passed: 0, lost: 0, overflowed: 0 }),
  introduce: () => {},
};

function noDelays({ name, inQueue }: Rehearsed['delay']): DelayBackend {
  const lookAt = async (paths: Iterable<unknown>): Promise<void> => {
    for (const _ of paths);
  };
  return {
    ...{ name, inQueue },
    pairs: { fromTheStart: Number.POSITIVE_INFINITY, atMost: Number.POSITIVE_INFINITY },
    attach: async () => {},
    detach: async () => {},
    set: (_, paths) => lookAt(paths),
    onDemand: async () => {},
    change: lookAt,
    counters: () => ({ packets: 0, lost: 0, held: 0, latestMs: 0 }),
    failure: undefined,
    stop: async () => {},
  };
}
