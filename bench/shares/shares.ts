/** The shares bench: how long it takes to compute the shares of very many flows. */
import { isDeepStrictEqual } from 'node:util';
import { Epoch } from '../../agent/epoch/epoch.ts';
import { flowShares } from '../../agent/share/flow-shares.ts';
import type { Flow, ShareNetwork } from '../../agent/share/model.ts';
import { SharedFlows } from '../../agent/share/shared-flows.ts';
import { expandGraph } from '../../topology/fold/graph.ts';
import { loadTopology } from '../../topology/load.ts';
import { SeededRandom } from '../../topology/model/random.ts';
import { BenchError } from '../errors.ts';
import { timed } from '../measure/durations.ts';
import { scaleFreeText } from '../measure/scale-free.ts';
import type { Row, Table } from '../report/model.ts';

const FLOWS = 10_000;
/** It has 999 links of two directions each. */
const NODES = 1000;
const SEED = 1;
const SCRATCH_MS = 20;
const CHANGE_MS = 2;
/** bit/s. Half of the flows have demands between these; the others are greedy. */
const [LEAST_DEMAND, MOST_DEMAND] = [1e3, 1e6];

/**
 * Needs no root. Throws `BenchError` (`RESULT_WRONG`) if incremental shares differ from shares computed from scratch.
 */
export function measureShares(quick: boolean, say: (text: string) => void): Table[] {
  const random = new SeededRandom(SEED);
  const epoch = new Epoch(expandGraph(loadTopology(scaleFreeText(NODES, SEED), 'bench.yaml').topology));
  const flows = randomFlows(epoch.graph.endpoints.length, random);
  let crossings = 0;
  for (const { source, destination } of flows) {
    crossings += epoch.path(source, destination)!.links.length;
    // Weights need the reverse path; folding is not measured here.
    epoch.path(destination, source);
  }
  say(`${FLOWS} flows, ${crossings} crossings of links`);
  return [
    {
      id: 'shares',
      title: `shares of ${FLOWS.toLocaleString('en')} flows over ${epoch.graph.links.length.toLocaleString('en')} links`,
      source: 'no table of the literature; the bounds are netfold’s own',
      method: `The shares of random pairs of the services of \`netfold generate scale-free --nodes ${NODES} --seed ${SEED}\`, all of them local, half of them greedy, whose paths are known; ${crossings.toLocaleString('en')} crossings of links. At the end all shares must be those computed from nothing, to the bit. The spread is the middle 99 %.`,
      sampled: 'updates',
      rows: measureUpdates(epoch.network, flows, random, quick ? 1 : 10),
    },
  ];
}

function randomDemand(random: SeededRandom): number {
  return LEAST_DEMAND + random.below(MOST_DEMAND - LEAST_DEMAND);
}

function randomFlows(endpoints: number, random: SeededRandom): Flow[] {
  const flows = new Map<number, Flow>();
  while (flows.size < FLOWS) {
    const [source, destination] = [random.below(endpoints), random.below(endpoints)];
    if (source === destination) continue;
    const demandBps = random.below(2) === 0 ? Number.POSITIVE_INFINITY : randomDemand(random);
    flows.set(source * endpoints + destination, { source, destination, demandBps });
  }
  return [...flows.values()];
}

function measureUpdates(
  network: ShareNetwork,
  initial: readonly Flow[],
  random: SeededRandom,
  effort: number,
): Row[] {
  const flows = [...initial];
  const shared = new SharedFlows(network);
  shared.update(flows);
  const update = (): void => {
    shared.update(flows);
    shared.local();
  };
  const common = { warmUp: 20 * effort, samples: 50 * effort };
  const rows = [
    timed({
      what: 'from nothing',
      boundMs: SCRATCH_MS,
      warmUp: 5,
      samples: 10 * effort,
      run: () => flowShares(network, flows),
    }),
    timed({
      ...common,
      what: 'one flow wants something else',
      boundMs: CHANGE_MS,
      prepare: () => {
        const at = random.below(flows.length);
        flows[at] = { ...flows[at]!, demandBps: randomDemand(random) };
      },
      run: update,
    }),
    timed({
      ...common,
      what: 'one flow becomes greedy, or is no longer',
      boundMs: CHANGE_MS,
      prepare: () => {
        const at = random.below(flows.length);
        const { demandBps, ...ends } = flows[at]!;
        flows[at] = { ...ends, demandBps: Number.isFinite(demandBps) ? Number.POSITIVE_INFINITY : 1e5 };
      },
      run: update,
    }),
    timed({
      ...common,
      what: 'one flow ends, another begins',
      boundMs: CHANGE_MS,
      prepare: replacing(flows, random),
      run: update,
    }),
    timed({ ...common, what: 'nothing changes', boundMs: CHANGE_MS, run: update }),
  ];
  if (!isDeepStrictEqual(shared.local(), flowShares(network, flows)))
    throw new BenchError('RESULT_WRONG', 'shares that were kept differ from those computed from nothing');
  return rows;
}

/** Removes a flow, and adds the one that was removed before. */
function replacing(flows: Flow[], random: SeededRandom): () => void {
  const [first] = flows.splice(random.below(flows.length), 1);
  let absent = first!;
  return () => {
    const at = random.below(flows.length);
    const next = flows[at]!;
    flows[at] = absent;
    absent = next;
  };
}
