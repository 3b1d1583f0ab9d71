/** Labs of which something has to be done while their agents start. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Experiment } from '../../../controller/experiment/experiment.ts';
import { MESH_PORT } from '../../../controller/names.ts';
import { lab } from '../../../controller/platform/lab/lab.ts';
import { type LabPlan, planLab } from '../../../controller/platform/lab/lab-plan.ts';
import type { PlannedHost } from '../../../controller/platform/port/plan.ts';
import { micros } from '../../../proto/units.ts';
import { loadTopology } from '../../../topology/load.ts';
import { graphAt } from '../../../topology/timeline/graph-at.ts';
import { experimentName, run } from './lab.ts';

/** On two hosts. `onStarting`: called when all is there but the agents. */
export async function startOnTwo(text: string, onStarting: (plan: LabPlan) => void): Promise<Experiment> {
  const { topology } = loadTopology(text, 'lab.yaml');
  const name = experimentName();
  const plan = planLab(name, graphAt(topology, micros(0)).endpoints, 2);
  const onStep = (step: string): void => {
    if (step.startsWith('starting')) onStarting(plan);
  };
  const where = { name, platform: lab, placement: { hosts: 2 } };
  return Experiment.start({ ...where, topology, source: { file: 'lab.yaml', text }, onStep });
}

/** Until the agent of the host has a connection to another. */
export async function untilMet({ namespace }: PlannedHost): Promise<void> {
  const filter = `( sport = :${MESH_PORT} or dport = :${MESH_PORT} )`;
  const words = ['netns', 'exec', namespace, 'ss', '-Htn', 'state', 'established', filter];
  while ((await run('ip', words)).out === '') await sleep(10);
}
