/** The cost bench: what the whole machine spends on traffic with netfold, with HTB by hand, and without shaping. */
import { setTimeout as sleep } from 'node:timers/promises';
import { readLimits } from '../../agent/linux/probe/limits.ts';
import { openFilesOf } from '../../controller/machine/capacity.ts';
import { expandGraph } from '../../topology/fold/graph.ts';
import { loadTopology } from '../../topology/load.ts';
import { FLOW_BPS, HOSTS } from '../cpu/model.ts';
import type { Interruption } from '../lab.ts';
import { machineBackend } from '../measure/backend.ts';
import { type CpuUse, watchCpu } from '../measure/cpu/cpu-watch.ts';
import { scaleFreeText } from '../measure/scale-free.ts';
import { dumbbellText } from '../metadata/dumbbell.ts';
import type { Table } from '../report/model.ts';
import { dumbbellCost, dumbbellPackets, type Timing } from './dumbbell.ts';
import { type Populated, type Setting, withWay } from './labs.ts';
import { type Cost, orderOf, type Round, WAY_NAMES, type Way, type Workload } from './model.ts';
import { pingCost, pingPackets } from './pings.ts';
import { tablesOf } from './tables.ts';

const SEED = 1;
/** Of the class by hand at endpoints that ping: no ping waits for it. */
const PING_HAND_BPS = 100e6;

interface Effort {
  readonly rounds: number;
  readonly nothingSeconds: number;
  readonly dumbbell: Timing & { readonly nodes: number };
  readonly pings: { readonly nodes: number; readonly seconds: number; readonly staggerMs: number };
}
/** After the removal of a lab the kernel frees its namespaces for a while. */
const QUIET_MS = 3000;
const FULL: Effort = {
  rounds: 3,
  nothingSeconds: 15,
  dumbbell: { nodes: 200, settleSeconds: 12, seconds: 30 },
  pings: { nodes: 4000, seconds: 30, staggerMs: 8 },
};
const QUICK: Effort = {
  rounds: 1,
  nothingSeconds: 5,
  dumbbell: { nodes: 20, settleSeconds: 5, seconds: 5 },
  pings: { nodes: 60, seconds: 5, staggerMs: 8 },
};

export interface CostOptions {
  readonly quick: boolean;
  readonly interruption: Interruption;
  readonly say: (text: string) => void;
}

/** Throws `DELAY_BACKEND_MISSING` or `MACHINE_CANNOT` before anything is measured. */
export async function measureCost(options: CostOptions): Promise<Table[]> {
  const backend = machineBackend();
  const effort = options.quick ? QUICK : FULL;
  const common = { backend, interruption: options.interruption };
  options.say('nothing');
  const nothing = await options.interruption.race(() =>
    watchCpu({ agents: [], traffic: [], seconds: effort.nothingSeconds }),
  );
  const measured = { nothing, effort, options };
  const workloads = [await dumbbell(common, measured), await pings(common, measured)];
  return tablesOf(workloads, backend);
}

type Common = Pick<Setting, 'backend' | 'interruption'>;
interface Measured {
  readonly nothing: CpuUse;
  readonly effort: Effort;
  readonly options: CostOptions;
}

async function dumbbell(common: Common, { nothing, effort, options }: Measured): Promise<Workload> {
  const { nodes } = effort.dumbbell;
  const clients = nodes / 2;
  const text = dumbbellText({ clients, flowBps: FLOW_BPS });
  const name = `dumbbell of ${nodes} nodes`;
  const setting = { ...common, text, hosts: HOSTS, handBps: FLOW_BPS };
  const measure = (populated: Populated) => dumbbellCost(clients, effort.dumbbell, populated);
  const rounds = await inTurns(name, setting, effort.rounds, options.say, measure);
  const packetsPerSecond = dumbbellPackets(clients);
  return { id: 'dumbbell', name, packet: 'a full frame of data', packetsPerSecond, nothing, rounds };
}

async function pings(common: Common, { nothing, effort, options }: Measured): Promise<Workload> {
  const { nodes } = effort.pings;
  const text = scaleFreeText(nodes, SEED);
  const endpoints = expandGraph(loadTopology(text, 'bench.yaml').topology).endpoints.length;
  const hosts = hostsFor(endpoints);
  const onHosts = hosts === 1 ? '' : ` on ${hosts} emulated hosts`;
  const name = `pings of ${nodes.toLocaleString('en')} nodes${onHosts}`;
  const setting = { ...common, text, hosts, handBps: PING_HAND_BPS };
  const measure = (populated: Populated) => pingCost(SEED, effort.pings, populated);
  const rounds = await inTurns(name, setting, effort.rounds, options.say, measure);
  const packetsPerSecond = pingPackets(endpoints);
  return { id: 'pings', name, packet: 'an echo request or an answer', packetsPerSecond, nothing, rounds };
}

/** As few agents as this machine's limit of open files allows. */
function hostsFor(endpoints: number): number {
  const { openFiles } = readLimits();
  let hosts = 1;
  while (openFilesOf({ endpoints, hosts }) > openFiles) hosts++;
  return hosts;
}

async function inTurns(
  name: string,
  setting: Setting,
  rounds: number,
  say: (text: string) => void,
  measure: (populated: Populated) => Promise<Cost>,
): Promise<Round[]> {
  const found: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    const costs = new Map<Way, Cost>();
    for (const way of orderOf(round)) {
      say(`${name}, round ${round + 1} of ${rounds}: ${WAY_NAMES[way]}`);
      await setting.interruption.race(() => sleep(QUIET_MS));
      costs.set(way, await withWay(way, setting, measure));
    }
    found.push(Object.fromEntries(costs) as Round);
  }
  return found;
}
