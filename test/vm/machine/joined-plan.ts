/** What goes where when a topology lies over several machines; the same inside of them and outside. */
import type { TopologyText } from '../../../controller/experiment/bootstraps.ts';
import { type LabPlan, planLab } from '../../../controller/platform/lab/lab-plan.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { loadTopology } from '../../../topology/load.ts';

export const EXPERIMENT = 'joined';
/** The network card as the machine's kernel names it. */
export const CARD = 'eth0';
/** Where the first host gives out the bootstrap. */
export const BOOTSTRAP_PORT = 4600;

export function planJoined({ file, text }: TopologyText, hosts: number): LabPlan {
  return planLab(EXPERIMENT, expandGraph(loadTopology(text, file).topology).endpoints, hosts);
}
