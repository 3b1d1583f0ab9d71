/** A folder for each endpoint of this machine, for its data. Part of the experiment's folder, and removed with it. */
import { mkdirSync } from 'node:fs';
import { dataFolder } from '../names.ts';
import type { Plan } from '../platform/port/plan.ts';

/** Makes those that are missing: what a killed agent's endpoints have written stays. */
export function makeDataFolders({ experiment, endpoints }: Pick<Plan, 'experiment' | 'endpoints'>): void {
  for (const { name } of endpoints) mkdirSync(dataFolder(experiment, name), { recursive: true });
}
