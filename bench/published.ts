/** Published values of the same measures, for notes and captions. */

/** Sebastião Amaro's master's thesis, which describes Kollaps 2.0. */
export const KOLLAPS_2 = 'Kollaps 2.0 (Amaro, IST Lisbon, 2021)';
/** Its machines, for scale-free topologies; each report names ours at its head. */
export const KOLLAPS_2_MACHINE = 'four hosts with 64 cores each';

interface ScaleFreeFigures {
  /** Mean squared error of round trips, in ms²: table 5.4. */
  readonly errorMs2: number;
}

/** By the number of nodes. */
const SCALE_FREE: ReadonlyMap<number, ScaleFreeFigures> = new Map([
  [500, { errorMs2: 0.03 }],
  [1000, { errorMs2: 0.037 }],
  [2000, { errorMs2: 0.046 }],
  [4000, { errorMs2: 0.065 }],
]);

/** Table 5.2: at 4,000 nodes, 6 % of the 64 cores of each host were busy. */
const CPU_AT_4000 = { nodes: 4000, coresPerHost: 0.06 * 64, hosts: 4 } as const;

export function publishedError(nodes: number): string {
  const figures = SCALE_FREE.get(nodes);
  return figures ? `published: ${figures.errorMs2} ms² on ${KOLLAPS_2_MACHINE}` : '';
}

/** For those of the sizes that are published. */
export function publishedErrors(sizes: readonly number[]): (readonly [nodes: number, ms2: number])[] {
  return sizes.flatMap((nodes) => {
    const figures = SCALE_FREE.get(nodes);
    return figures ? [[nodes, figures.errorMs2] as const] : [];
  });
}

/** The CPU of the whole emulation, including its containers and pings. */
export function publishedCpu(nodes: number): string {
  if (nodes !== CPU_AT_4000.nodes) return '';
  const { coresPerHost, hosts } = CPU_AT_4000;
  return `published: ${coresPerHost.toFixed(1)} cores busy on each of ${KOLLAPS_2_MACHINE} (${hosts * Math.round(coresPerHost * 100)} % of one core in all)`;
}
