/** The folding bench: how long it takes to read a large topology and to fold it, and how much memory that needs. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Micros, megabytes, micros } from '../../proto/units.ts';
import { Folding } from '../../topology/fold/fold.ts';
import { expandGraph } from '../../topology/fold/graph.ts';
import { loadTopology } from '../../topology/load.ts';
import type { Graph } from '../../topology/model/model.ts';
import { atMost, timed } from '../measure/durations.ts';
import { scaleFreeText } from '../measure/scale-free.ts';
import type { Row, Table } from '../report/model.ts';
import { measureReading } from './reading.ts';

const NODES = 4000;
const SEED = 1;
const LOAD_MS = 2000;
const SOURCE_MS = 5;
const ALL_SOURCES_MS = 8000;
const ALL_SOURCES_MB = 100;
/** Two ticks: the time in which an event should be in force. */
const EPOCH_MS = 100;

/** Needs no root. */
export function measureFolding(quick: boolean, say: (text: string) => void): Table[] {
  const text = scaleFreeText(NODES, SEED);
  const graph = expandGraph(loadTopology(text, 'bench.yaml').topology);
  const { length: endpoints } = graph.endpoints;
  say(`${endpoints} endpoints, ${graph.links.length} links`);
  const runs = quick ? 2 : 10;
  const rows = [
    timed({
      what: 'read, check, expand',
      boundMs: LOAD_MS,
      warmUp: 1,
      samples: runs,
      run: () => expandGraph(loadTopology(text, 'bench.yaml').topology),
    }),
    ...sources(graph, runs),
    ...epochs(graph, runs),
  ];
  return [
    {
      id: 'folding',
      title: `folding a scale-free topology of ${NODES.toLocaleString('en')} nodes`,
      source: 'no table of the literature; the bounds are netfold’s own',
      method: `The file of \`netfold generate scale-free --nodes ${NODES} --seed ${SEED}\`: ${endpoints.toLocaleString('en')} services, ${graph.links.length.toLocaleString('en')} directed links. A source is folded when the first path from it is asked for; services share the tree of a bridge. The spread is the middle 99 %.`,
      sampled: 'runs, or sources',
      rows,
    },
    measureReading(quick, say),
  ];
}

function foldAll(folding: Folding): void {
  const { length } = folding.graph.endpoints;
  for (let source = 0; source < length; source++) folding.path(source, (source + 7) % length);
}

/** Bytes of typed arrays in use. */
function arrayBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().arrayBuffers;
}

function sources(graph: Graph, runs: number): Row[] {
  const single: number[] = [];
  const all: number[] = [];
  const sizes: number[] = [];
  let kept = new Folding(graph);
  foldAll(kept);
  for (let run = 0; run < runs; run++) {
    const before = arrayBytes();
    const began = performance.now();
    const folding = new Folding(graph);
    foldAll(folding);
    all.push(performance.now() - began);
    sizes.push(megabytes(arrayBytes() - before));
    kept = folding;
  }
  for (let source = 0; source < graph.endpoints.length; source += Math.ceil(50 / runs)) {
    const folding = new Folding(graph);
    const began = performance.now();
    folding.path(source, (source + 7) % graph.endpoints.length);
    single.push(performance.now() - began);
  }
  let pair = 0;
  return [
    atMost('one source', 'ms', SOURCE_MS, single, 'none shared'),
    atMost('all sources', 'ms', ALL_SOURCES_MS, all, `${kept.treeCount} trees`),
    atMost('memory of all sources', 'MB', ALL_SOURCES_MB, sizes),
    timed({
      what: 'a path of a folded source',
      boundMs: 0.1,
      warmUp: 5000,
      samples: 5000,
      run: () => {
        pair = (pair + 7919) % graph.endpoints.length;
        kept.path(pair, (pair * 31 + 1) % graph.endpoints.length);
      },
    }),
  ];
}

/** Folds everything, changes a link, and folds everything again. */
function epochs(graph: Graph, runs: number): Row[] {
  const folding = new Folding(graph);
  foldAll(folding);
  const isAccess = ({ from, to }: Graph['edges'][number]): boolean =>
    Math.min(from, to) < graph.endpoints.length;
  const again = (what: string, link: number, latency: Micros, boundMs: number): Row => {
    const links = graph.links.with(link, { ...graph.links[link]!, latency });
    const next = { ...graph, links };
    const held = new Folding(next, folding).treeCount;
    return timed({
      what: `all again after ${what}`,
      boundMs,
      warmUp: 2,
      samples: runs,
      run: () => foldAll(new Folding(next, folding)),
      note: `${held} of ${folding.treeCount} trees held`,
    });
  };
  const access = graph.edges.find(isAccess)!.link;
  const core = graph.edges.find((edge) => !isAccess(edge))!.link;
  return [
    again("an access link's latency", access, micros(50_000), EPOCH_MS),
    again("a core link's latency", core, micros(50_000), ALL_SOURCES_MS),
  ];
}
