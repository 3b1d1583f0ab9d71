/** Whether a lab fits on this machine, checked before anything is made. */
import { raiseOpenFiles, readLimits } from '../../../agent/linux/probe/limits.ts';
import type { Topology } from '../../../topology/model/model.ts';
import { serviceOf } from '../../../topology/model/names.ts';
import { openFilesOf, requireCapacity } from '../../machine/capacity.ts';
import type { LabPlan } from './lab-plan.ts';

/** Throws `LAB_LIMIT`, with the number of endpoints that would fit. */
export function requireRoom({ endpoints, hosts }: LabPlan, { services }: Topology): void {
  const running = new Set(services.filter(({ run }) => run !== undefined).map(({ name }) => name));
  const applications = endpoints.filter(({ name }) => running.has(serviceOf(name)));
  const load = { endpoints: endpoints.length, hosts: hosts.length, applications: applications.length };
  requireCapacity(readLimits(), load);
}

/** Allows the agents the descriptors that they need: they inherit the limits of this process. */
export function openRoom({ endpoints, hosts }: LabPlan): void {
  const counts = hosts.map(() => 0);
  for (const { host } of endpoints) counts[host.index]!++;
  raiseOpenFiles(openFilesOf({ endpoints: Math.max(...counts), hosts: 1 }));
}
