/** A lab that shapes in one of the ways. */
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import { agentsOf } from '../../controller/machine/processes.ts';
import type { LabEndpoint } from '../../controller/platform/lab/lab-plan.ts';
import type { PlannedEndpoint } from '../../controller/platform/port/plan.ts';
import { expandGraph } from '../../topology/fold/graph.ts';
import { loadTopology } from '../../topology/load.ts';
import { type Interruption, withLab } from '../lab.ts';
import { withBareLab } from '../measure/bare-lab.ts';
import { shapeEachByHand } from '../measure/plain-tc.ts';
import type { Way } from './model.ts';

export interface Setting {
  readonly text: string;
  readonly hosts: number;
  /** Of the class that is set by hand, which all traffic of an endpoint uses. */
  readonly handBps: number;
  readonly backend: DelayBackendName;
  readonly interruption: Interruption;
}

export interface Populated {
  readonly endpoints: readonly PlannedEndpoint[];
  /** Process ids; empty without netfold. */
  readonly agents: readonly number[];
}

/** The endpoints have the same hosts, names and addresses in every way. They are removed in any case. */
export async function withWay<T>(
  way: Way,
  { text, hosts, handBps, backend, interruption }: Setting,
  use: (populated: Populated) => Promise<T>,
): Promise<T> {
  if (way === 'netfold') {
    const run = async ({ experiment }: Parameters<Parameters<typeof withLab>[3]>[0]): Promise<T> => {
      await experiment.run();
      return use({ endpoints: experiment.plan.endpoints, agents: agentsOf(experiment.name) });
    };
    return withLab(text, backend, interruption, run, hosts);
  }
  const names = expandGraph(loadTopology(text, 'bench.yaml').topology).endpoints;
  const bare = async (endpoints: readonly LabEndpoint[]): Promise<T> => {
    if (way === 'htb') await shapeEachByHand(endpoints, handBps);
    return use({ endpoints, agents: [] });
  };
  return withBareLab(names, interruption, bare, hosts);
}
