/** The price of emulation, as tables. Pure. */
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import { fromSeconds } from '../../proto/units.ts';
import { agentCores } from '../measure/cpu/cpu-rows.ts';
import { mean, median, range } from '../measure/statistics.ts';
import { judge, type Measurement, reported } from '../report/judge.ts';
import type { Row, Table, Unit } from '../report/model.ts';
import { type Cost, WAY_NAMES, WAYS, type Way, type Workload } from './model.ts';

/** How far the traffic may be from what applications send: ways that carry different traffic can't be compared. */
const SAME_TRAFFIC = { kind: 'relative', value: 0.05 } as const;
/** What is left of a packet’s cost is worth a note. */
const WORTH_NAMING_CORES = 0.001;

export function tablesOf(workloads: readonly Workload[], backend: DelayBackendName): Table[] {
  return workloads.map((workload) => ({
    id: `cost-${workload.id}`,
    title: `what the machine spends: ${workload.name}`,
    backend,
    source: 'no table of the literature',
    method: `The processor time of the whole machine by /proc/stat: user, nice, system, irq and softirq, in parts of one core; so it counts the applications, the kernel’s work for packets, agents and the bench. The same endpoints carry the same traffic in turns, ${WAYS.map((way) => WAY_NAMES[way]).join(', ')}, each the first once. A packet is ${workload.packet}. Ratios and differences are those of each round; their median counts.`,
    sampled: 'rounds',
    rows: rowsOf(workload),
  }));
}

function rowsOf(workload: Workload): Row[] {
  const { name, nothing, packet } = workload;
  const idle = {
    measured: mean(nothing.machine),
    spread: range(nothing.machine),
    samples: nothing.machine.length,
  };
  const all = (what: string, unit: Unit, of: (way: Way) => Measurement): Row[] =>
    WAYS.map((way) => reported(`${name}, ${WAY_NAMES[way]}: ${what}`, unit, of(way)));
  const each = (way: Way, of: (cost: Cost) => number): Measurement =>
    over(workload.rounds.map((r) => of(r[way])));
  return [
    reported(`${name}: the machine, without endpoints`, 'cores', { ...idle, note: 'the samples are slices' }),
    ...WAYS.map((way) => trafficRow(workload, way)),
    ...all('the machine', 'cores', (way) => ({ ...each(way, machineCores), note: partsNote(workload, way) })),
    ...all(packet, 'µs', (way) => each(way, packetMicros)),
    ...comparisons(workload),
  ];
}

/** Judged: without the same traffic nothing can be said about its price. */
function trafficRow({ name, packetsPerSecond, rounds }: Workload, way: Way): Row {
  const what = `${name}, ${WAY_NAMES[way]}: packets`;
  const target = { what, unit: '1/s', target: packetsPerSecond, bound: SAME_TRAFFIC } as const;
  return judge(target, over(rounds.map((round) => round[way].packetsPerSecond)));
}

function comparisons({ name, packet, rounds }: Workload): Row[] {
  const pairs = [
    ['netfold', 'none'],
    ['netfold', 'htb'],
    ['htb', 'none'],
  ] as const;
  return pairs.flatMap(([more, less]) => {
    const what = `${name}, ${WAY_NAMES[more]} by ${WAY_NAMES[less]}`;
    const ratios = rounds.map((round) => packetMicros(round[more]) / packetMicros(round[less]));
    const added = rounds.map((round) => packetMicros(round[more]) - packetMicros(round[less]));
    // A factor may be above 1, for which a percentage reads badly.
    return [
      reported(`${what}: times the cost`, 'factor', over(ratios)),
      reported(`${what}: added to ${packet}`, 'µs', over(added)),
    ];
  });
}

export const machineCores = ({ use }: Cost): number => mean(use.machine);

/** Of processor time. */
export function packetMicros(cost: Cost): number {
  return fromSeconds(machineCores(cost)) / cost.packetsPerSecond;
}

/** The parts of the machine’s time, and what the hypervisor took beside it. */
function partsNote({ rounds }: Workload, way: Way): string {
  const uses = rounds.map((round) => round[way].use);
  const parts: [string, number][] = [
    ['applications', mean(uses.map(({ traffic }) => mean(traffic)))],
    ['agents', mean(uses.map((use) => (use.agents.length === 0 ? 0 : agentCores(use))))],
    ['packets in no process', mean(uses.map(({ softirq }) => mean(softirq)))],
    ['the bench', mean(uses.map(({ bench }) => mean(bench)))],
    ['taken by the hypervisor beside it', mean(uses.map(({ stolen }) => mean(stolen)))],
  ];
  return parts
    .filter(([, cores]) => cores >= WORTH_NAMING_CORES)
    .map(([what, cores]) => `${what} ${(cores * 100).toFixed(1)} %`)
    .join(', ');
}

function over(values: readonly number[]): Measurement {
  return { measured: median(values), spread: range(values), samples: values.length };
}
