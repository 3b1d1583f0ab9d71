/** What others have published of the same measures, for the notes and captions of ours. */

/** Sebastião Amaro's master's thesis, in which Kollaps 2.0 is described. */
export const KOLLAPS_2 = 'Kollaps 2.0 (Amaro, IST Lisbon, 2021)';
/** Its machine, for scale-free topologies; ours is named at the head of each report. */
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

/** Of those of the sizes that are published. */
export function publishedErrors(sizes: readonly number[]): (readonly [nodes: number, ms2: number])[] {
  return sizes.flatMap((nodes) => {
    const figures = SCALE_FREE.get(nodes);
    return figures ? [[nodes, figures.errorMs2] as const] : [];
  });
}

/** The CPU of the whole emulation, its containers and pings included. */
export function publishedCpu(nodes: number): string {
  if (nodes !== CPU_AT_4000.nodes) return '';
  const { coresPerHost, hosts } = CPU_AT_4000;
  return `published: ${coresPerHost.toFixed(1)} cores busy on each of ${KOLLAPS_2_MACHINE} (${hosts * Math.round(coresPerHost * 100)} % of one core in all)`;
}
