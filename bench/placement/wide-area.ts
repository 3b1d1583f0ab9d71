/** Wide-area placement: how much the network between hosts misses of what paths ask for, beside a genetic algorithm. */
import type { Way } from '../../controller/inventory/network.ts';
import { linkGraph } from '../../controller/placement/link-graph.ts';
import { DEFAULT_PLACEMENT, type HostRoom } from '../../controller/placement/model.ts';
import { noWishes, placementProblem } from '../../controller/placement/place.ts';
import { placeOnNetwork } from '../../controller/placement/wide-area/place.ts';
import { totalShortfall } from '../../controller/placement/wide-area/shortfall.ts';
import { pathTable, wayTable } from '../../controller/placement/wide-area/tables.ts';
import { bps, fromMillis, millisToSeconds, ratio } from '../../proto/units.ts';
import type { Graph } from '../../topology/model/model.ts';
import { SeededRandom } from '../../topology/model/random.ts';
import { judge, least } from '../report/judge.ts';
import type { Row, Table } from '../report/model.ts';
import { graphOf } from './cases.ts';
import { evolve } from './genetic.ts';

const [ENDPOINTS, HOSTS] = [32, 40];
const MOST_SECONDS = 10;
/** Shortfalls that differ by less are the same: a hundredth of a path's latency on each of a hundred paths. */
const MOST_ABOVE = 0.01;

interface Network {
  readonly ms: (a: number, b: number) => number;
  readonly mbps: (a: number) => number;
  readonly loss: (a: number, b: number) => number;
}

/** Places on a plane of some 70 ms, each with an access of its own; some accesses are slow, some ways lose packets. */
function network(size: number, random: SeededRandom): Network {
  const at = Array.from(
    { length: size },
    () => [random.below(50), random.below(50), 1 + random.below(8)] as const,
  );
  const access = at.map(() => [10, 20, 50, 100, 200][random.below(5)]!);
  const lossy = Array.from({ length: size * size }, () => (random.below(10) === 0 ? random.next() / 50 : 0));
  return {
    ms: (a, b) => Math.hypot(at[a]![0] - at[b]![0], at[a]![1] - at[b]![1]) + at[a]![2] + at[b]![2],
    mbps: (a) => access[a]!,
    loss: (a, b) => lossy[a * size + b]!,
  };
}

function waysOf({ ms, mbps, loss }: Network): Way[] {
  const hosts = [...Array(HOSTS).keys()];
  return hosts.flatMap((a) =>
    hosts.flatMap((b): Way[] =>
      a === b
        ? []
        : [
            {
              ...{ from: `h${a}`, to: `h${b}`, latency: fromMillis(ms(a, b)), loss: ratio(loss(a, b)) },
              bandwidth: bps(1e6 * Math.min(mbps(a), mbps(b))),
            },
          ],
    ),
  );
}

/** A link between each two: `chosen` says which of the network's places each is, and `ease` how much longer its paths may be. */
function asked({ ms, mbps }: Network, chosen: readonly number[], ease: number): Graph {
  const names = chosen.map((_, index) => `n${index}`);
  const links = chosen.flatMap((a, one) =>
    chosen
      .slice(one + 1)
      .map(
        (b, more) =>
          `  - { from: n${one}, to: n${one + 1 + more}, latency: ${(ease * ms(a, b)).toFixed(3)}ms, bandwidth: ${Math.min(mbps(a), mbps(b))}Mbps }\n`,
      ),
  );
  return graphOf(`services:\n${names.map((name) => `  ${name}: {}\n`).join('')}links:\n${links.join('')}`);
}

/** `generations`: of the genetic algorithm. */
export function wideArea(quick: boolean, say: (text: string) => void): Table {
  const generations = quick ? 100 : 1000;
  const seeds = quick ? [1] : [1, 2, 3, 4, 5];
  const hidden = seeds.map((seed) => {
    const random = new SeededRandom(seed);
    const real = network(HOSTS, random);
    const chosen = random.sample([...Array(HOSTS).keys()], ENDPOINTS);
    return { name: `what ${ENDPOINTS} of the hosts have, ${seed}`, real, graph: asked(real, chosen, 1.05) };
  });
  const foreign = seeds.map((seed) => {
    const random = new SeededRandom(100 + seed);
    const real = network(HOSTS, random);
    const other = network(ENDPOINTS, random);
    const all = [...Array(ENDPOINTS).keys()];
    return { name: `what another network has, ${seed}`, real, graph: asked(other, all, 1) };
  });
  const rows = [...hidden, ...foreign].flatMap(({ name, real, graph }): Row[] => {
    const hosts = Array.from(
      { length: HOSTS },
      (_, index): HostRoom => ({ name: `h${index}`, endpoints: 1 }),
    );
    const ways = wayTable(
      waysOf(real),
      hosts.map((host) => host.name),
    );
    const began = performance.now();
    const { placement } = placeOnNetwork(graph, hosts, noWishes(graph), DEFAULT_PLACEMENT, ways);
    const seconds = millisToSeconds(performance.now() - began);
    const paths = pathTable(graph);
    const room = placementProblem(graph, linkGraph(graph), hosts, noWishes(graph), DEFAULT_PLACEMENT.balance);
    const missing = totalShortfall(paths, ways, placement.hostOf);
    const genetic = evolve({ room, paths, ways }, generations, 1);
    say(`${name}: ${missing.toFixed(2)}, genetic ${genetic.toFixed(2)}`);
    const mean = (sum: number): number => sum / paths.paths;
    return [
      judge(
        {
          ...{ what: `${name}: mean shortfall`, unit: 'factor', target: mean(genetic) },
          bound: { kind: 'absolute', value: MOST_ABOVE, bad: 'above' },
        },
        { measured: mean(missing), spread: null, samples: 1 },
      ),
      least(`${name}: time`, 's', MOST_SECONDS, { measured: seconds, spread: null, samples: 1 }),
    ];
  });
  return {
    id: 'wide-area',
    title: `placement of ${ENDPOINTS} endpoints on ${HOSTS} hosts that are far apart, beside a genetic algorithm`,
    source: 'a genetic algorithm after Netbed’s wanassign (White et al., OSDI 2002)',
    method: `Hosts are places on a plane with an access each; an endpoint takes a host for itself. The shortfall of a path is what the network between its hosts can't give of it: latency as a part of what is asked for, bandwidth, and ten times the loss. The target is what the genetic algorithm finds in ${generations} generations of 100. In the first cases 32 of the hosts have what is asked for, but for losses.`,
    sampled: 'placements',
    rows,
  };
}
