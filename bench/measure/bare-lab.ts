/** The same lab without netfold: namespaces, veth pairs and routes, without agents or shaping. */
import { hasIpv6 } from '../../agent/kernel/netns/ip-settings.ts';
import { raiseOpenFiles } from '../../agent/linux/probe/limits.ts';
import { reserveExperiment } from '../../controller/experiment/state.ts';
import { removeExperiment } from '../../controller/experiment/teardown.ts';
import { openFilesOf } from '../../controller/machine/capacity.ts';
import { createLab } from '../../controller/platform/lab/lab-namespaces.ts';
import { type LabEndpoint, planLab } from '../../controller/platform/lab/lab-plan.ts';
import type { Interruption } from '../lab.ts';

let labs = 0;

/** Makes endpoints of these names on emulated hosts (default: one), passes them to `use`, and removes them in any case. */
export async function withBareLab<T>(
  names: readonly string[],
  interruption: Interruption,
  use: (endpoints: readonly LabEndpoint[]) => Promise<T>,
  hosts = 1,
): Promise<T> {
  const name = `bare-${process.pid}-${++labs}`;
  const plan = planLab(name, names, hosts, { ipv6: hasIpv6() });
  raiseOpenFiles(openFilesOf({ endpoints: names.length, hosts }));
  await reserveExperiment(name);
  try {
    await createLab(plan);
    return await interruption.race(() => use(plan.endpoints));
  } finally {
    await removeExperiment(name);
  }
}
