/** The placement bench: how much less crosses between hosts, beside spreading in turn, by chance, and annealing. */
import { withBridges } from '../../controller/placement/cross-traffic.ts';
import { linkGraph } from '../../controller/placement/link-graph.ts';
import { DEFAULT_PLACEMENT, type Placement } from '../../controller/placement/model.ts';
import {
  describePlacement,
  noWishes,
  placeEndpoints,
  placementProblem,
} from '../../controller/placement/place.ts';
import { millisToSeconds } from '../../proto/units.ts';
import { SeededRandom } from '../../topology/model/random.ts';
import { judge, least, reported } from '../report/judge.ts';
import type { Row, Table } from '../report/model.ts';
import { anneal } from './annealing.ts';
import { type Case, seededCases, shaped, sites } from './cases.ts';
import { wideArea } from './wide-area.ts';

const SMALL_SECONDS = 5;
const LARGE_SECONDS = 30;
/** So many times less than in turn. */
const LEAST_FACTOR = 3;
/** How much more than the best that annealing finds may cross. */
const MOST_ABOVE = 0.1;
const OTHER_SEEDS = [2, 3, 4];

export interface PlacementBenchOptions {
  readonly quick: boolean;
  /** Of annealing, of each case. */
  readonly steps: number;
  readonly say: (text: string) => void;
}

/** Needs no root. */
export function measurePlacement({ quick, steps, say }: PlacementBenchOptions): Table[] {
  const cases = quick ? seededCases().slice(0, 5) : seededCases();
  return [sizes(say), wideArea(quick, say), beside(cases, steps, say)];
}

const roomsOf = ({ hosts }: Case): { name: string }[] =>
  Array.from({ length: hosts }, (_, index) => ({ name: `host${index}` }));

function placed(one: Case, seed = DEFAULT_PLACEMENT.seed): { placement: Placement; seconds: number } {
  const began = performance.now();
  const options = { ...DEFAULT_PLACEMENT, seed };
  const placement = placeEndpoints(one.graph, roomsOf(one), noWishes(one.graph), options);
  return { placement, seconds: millisToSeconds(performance.now() - began) };
}

function crossing(one: Case, part: Int32Array): number {
  const { graph } = one;
  return describePlacement(graph, linkGraph(graph), roomsOf(one), noWishes(graph), part).crossTrafficBps;
}

/** Endpoints shuffled, then in turn: the mean of five. */
function byChance(one: Case): number {
  const { graph, hosts } = one;
  const { length } = graph.endpoints;
  const rates = [1, 2, 3, 4, 5].map((seed) => {
    const order = new SeededRandom(seed).sample([...Array(length).keys()], length);
    const part = Int32Array.from(order, (number) => number % hosts);
    return crossing(one, part);
  });
  return rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
}

function sizes(say: (text: string) => void): Table {
  const small = { name: '200 services in sites, 4 hosts', graph: sites(200, 7), hosts: 4 };
  const tree = { name: '200 services, scale-free, 4 hosts', graph: shaped('scale-free', 300, 7), hosts: 4 };
  const large = {
    name: '4,000 nodes, scale-free, 16 hosts',
    graph: shaped('scale-free', 4000, 1),
    hosts: 16,
  };
  const rows = [small, tree, large].flatMap((one): Row[] => {
    say(`${one.name}: ${one.graph.endpoints.length} endpoints`);
    const { placement, seconds } = placed(one);
    const { crossTrafficBps, roundRobinBps } = placement;
    const chance = byChance(one);
    const single = { spread: null, samples: 1 };
    const bound = { kind: 'absolute', value: 0, bad: 'below' } as const;
    const factor = { ...single, measured: roundRobinBps / crossTrafficBps };
    const what = `${one.name}: in turn, as a multiple`;
    return [
      reported(`${one.name}: crosses`, 'bit/s', { ...single, measured: crossTrafficBps }),
      one === small
        ? judge({ what, unit: 'factor', target: LEAST_FACTOR, bound }, factor)
        : reported(what, 'factor', factor),
      reported(`${one.name}: by chance, as a multiple`, 'factor', {
        ...single,
        measured: chance / crossTrafficBps,
      }),
      least(`${one.name}: time`, 's', one === large ? LARGE_SECONDS : SMALL_SECONDS, {
        ...single,
        measured: seconds,
      }),
    ];
  });
  return {
    id: 'sizes',
    title: 'placement: how much can cross between hosts, and how long it takes to find',
    source: 'no table of the literature; the bounds are netfold’s own',
    method:
      'What crosses is the sum of the rates of links between hosts, with bridges where that is least. The reference in turn is what a lab does by default; by chance is the mean of five shuffles. Hosts get up to 5 % more than their part of the endpoints.',
    sampled: 'placements',
    rows,
  };
}

function beside(cases: readonly Case[], steps: number, say: (text: string) => void): Table {
  const rows = cases.map((one): Row => {
    const { placement } = placed(one);
    const rooms = roomsOf(one);
    const links = linkGraph(one.graph);
    const problem = placementProblem(one.graph, links, rooms, noWishes(one.graph), DEFAULT_PLACEMENT.balance);
    const annealed = (from?: Int32Array): number => {
      const { part, excess } = anneal(problem, { steps, seed: 1, ...(from && { from }) });
      return excess > 0 ? Number.POSITIVE_INFINITY : crossing(one, part);
    };
    const cold = annealed();
    const warm = annealed(withBridges(links, placement.hostOf, one.hosts));
    const best = Math.min(
      cold,
      warm,
      ...OTHER_SEEDS.map((seed) => placed(one, seed).placement.crossTrafficBps),
    );
    say(`${one.name}: ${(placement.crossTrafficBps / best).toFixed(3)} of the best that was found`);
    return judge(
      {
        what: one.name,
        unit: 'bit/s',
        target: best,
        bound: { kind: 'relative', value: MOST_ABOVE, bad: 'above' },
      },
      {
        measured: placement.crossTrafficBps,
        spread: null,
        samples: 1,
        note: `from nothing ${(cold / placement.crossTrafficBps).toFixed(2)} of it; in turn ${(placement.roundRobinBps / placement.crossTrafficBps).toFixed(2)}`,
      },
    );
  });
  return {
    id: 'annealing',
    title: `placement beside simulated annealing of ${steps.toLocaleString('en')} steps`,
    source: 'simulated annealing after Netbed’s assign (Ricci, Alfeld and Lepreau, CCR 33, 2003)',
    method:
      'The target is the best of two annealings with the same costs and limits and of three placements with other seeds. One annealing begins from nothing, the other, less hot, from the placement itself, so that it finds what the placement has missed nearby.',
    sampled: 'placements',
    rows,
  };
}
