/**
 * Existing interfaces of this machine: nothing is made, one agent shapes them, and restores them. Modules that need
 * libc are loaded on demand, as in the lab.
 */

import { z } from 'zod';
import { namespacePath, OWN_NAMESPACE } from '../../../agent/kernel/netns/namespace-files.ts';
import { exemptionsSchema } from '../../../proto/bootstrap.ts';
import { inNamespace } from '../../names.ts';
import { readOptions } from '../port/options.ts';
import type { Plan, PlannedHost } from '../port/plan.ts';
import type {
  AgentOrder,
  EndpointPlace,
  Leftover,
  LeftoverSearch,
  Platform,
  Remains,
  RunningAgent,
  Standing,
  Wanted,
} from '../port/platform.ts';
import { isStanding, standingPlan } from '../port/standing.ts';
import { IN_PLACE, planSite } from './site-plan.ts';

const optionsSchema = z.strictObject({
  placements: z
    .array(z.strictObject({ node: z.string(), ifname: z.string(), namespace: z.string() }))
    .readonly(),
  /** Somebody else's root qdiscs may be replaced; they are kept and put back. */
  takeOver: z.boolean(),
  /** How long shaping outlasts an agent that doesn't renew it. */
  leaseMs: z.number(),
  /** Traffic that is never shaped. */
  never: exemptionsSchema.optional(),
  /** Endpoints without a place here come from hosts that join. */
  elsewhere: z
    .strictObject({
      /** Name of this machine's host. */
      host: z.string().optional(),
      /** Where its agent listens. */
      listen: z.strictObject({ address: z.string(), port: z.number() }),
    })
    .optional(),
});

export type SiteOptions = z.infer<typeof optionsSchema>;

export const site: Platform = {
  name: IN_PLACE.platform,
  runsImages: false,
  plan,
  /** The interfaces exist already. */
  make: () => {},
  startAgent,
  exec: ({ namespace }: EndpointPlace, command) => inNamespace(namespace, command),
  remove,
  findLeftovers,
};

async function plan(wanted: Wanted | Standing): Promise<Plan> {
  if (isStanding(wanted)) return { ...standingPlan(wanted, () => OWN_NAMESPACE), ...IN_PLACE };
  const { surveyInterface } = await import('./survey.ts');
  const { placements, elsewhere, takeOver, leaseMs, never } = readOptions(
    IN_PLACE.platform,
    optionsSchema,
    wanted.options,
  );
  const { experiment, endpoints } = wanted;
  const made = planSite(experiment, endpoints, placements, surveyInterface, elsewhere);
  return { ...made, settings: { takeOver, leaseMs, ...(never && { never }) } };
}

/** Next to everything else that runs on this machine. */
async function startAgent(host: PlannedHost, order: AgentOrder): Promise<RunningAgent> {
  const { localAgent } = await import('../../machine/agent-process.ts');
  return localAgent(host.namespace, order);
}

/** Agents restore interfaces themselves; what a killed agent has left on them is removed here. */
async function remove({ endpoints, agents }: Remains): Promise<string[]> {
  const { endProcesses } = await import('../../machine/processes.ts');
  const { clearInterface } = await import('../../../agent/linux/take-over/clear-interface.ts');
  const { JOURNAL_FOLDER, Journal } = await import('../../../agent/linux/take-over/journal.ts');
  const { removeIfEmpty } = await import('../../machine/folders.ts');
  await endProcesses(agents);
  const left = endpoints.filter(({ namespace, ifindex }) =>
    clearInterface({ namespace: namespacePath(namespace), ifindex }, new Journal()),
  );
  removeIfEmpty(JOURNAL_FOLDER);
  return left.length > 0
    ? [`left by a killed agent and taken off: ${left.map(({ name }) => name).join(', ')}`]
    : [];
}

/** netfold's marks on any interface; they don't contain the experiment. */
async function findLeftovers(where: LeftoverSearch): Promise<Leftover[]> {
  if (where === 'experiments') return [];
  const leftovers = await import('../../../agent/linux/take-over/leftovers.ts');
  const { Journal } = await import('../../../agent/linux/take-over/journal.ts');
  const journal = new Journal();
  return leftovers.findLeftovers({ journal }).map((leftover) => ({
    what: leftovers.describeLeftover(leftover),
    remove: () => leftovers.removeLeftover(leftover, journal),
  }));
}
