/**
 * Pods of a container runtime on this machine, found by the Container Runtime Interface, without Docker and without the API of a
 * cluster: one agent shapes the sandboxes of those that are selected, and gives them back as they were. Modules that need libc or
 * gRPC are loaded on demand.
 */
import { z } from 'zod';
import { OWN_NAMESPACE } from '../../../agent/kernel/netns/namespace-files.ts';
import { inNamespace } from '../../names.ts';
import {
  giveBack,
  nameSandboxes,
  sandboxLeftovers,
  startFollowedAgent,
  stopFollowing,
} from '../containers/attached.ts';
import type { ContainersPlan, RunningKind } from '../containers/running-plan.ts';
import { sandboxNames } from '../containers/sandbox.ts';
import { selectorSchema } from '../containers/selectors.ts';
import { readOptions } from '../port/options.ts';
import type { PlannedHost } from '../port/plan.ts';
import type {
  AgentOrder,
  EndpointPlace,
  ExecOptions,
  Platform,
  Remains,
  RunningAgent,
  Standing,
  Wanted,
} from '../port/platform.ts';
import { isStanding, standingPlan } from '../port/standing.ts';

const CRI = {
  platform: 'cri',
  place: 'pods of this machine',
  lives: {
    elsewhere: 'the pods were there before, and netfold neither starts nor ends what runs in them',
    remedy:
      'use kubectl delete pod, rollout restart or the like, which netfold follows; disconnect and reconnect cut the network alone',
  },
} as const satisfies RunningKind;
const NAME = CRI.platform;

const optionsSchema = z.strictObject({
  selectors: z.array(selectorSchema).min(1),
  /** A range that has the pods' addresses. */
  network: z.string().optional(),
  /** As of `site`. */
  takeOver: z.boolean(),
  leaseMs: z.number(),
  /** This machine's part of an experiment on several: what `Here` has. */
  here: z
    .strictObject({
      host: z.string(),
      listen: z.strictObject({ address: z.string(), port: z.number() }),
    })
    .optional(),
});

export type CriOptions = z.infer<typeof optionsSchema>;

export const cri: Platform<ContainersPlan> = {
  name: NAME,
  runsImages: true,
  contained: { exec: execWords, logs: logWords },
  plan,
  make: nameSandboxes,
  startAgent,
  // A program of this machine in the pod's network; `contained` is for those of the pod.
  exec: ({ namespace }: EndpointPlace, command) => inNamespace(namespace, command),
  remove,
  findLeftovers: () => sandboxLeftovers(NAME),
};

async function plan(wanted: Wanted | Standing): Promise<ContainersPlan> {
  if (isStanding(wanted)) {
    const found = standingPlan(wanted, () => OWN_NAMESPACE);
    return { ...found, platform: NAME, place: CRI.place, outlivesAgent: true, containers: [] };
  }
  const { takeOver, leaseMs, here, ...chosen } = readOptions(NAME, optionsSchema, wanted.options);
  const { planContainers, planHere } = await import('../containers/running-plan.ts');
  const { withRuntime } = await import('./open-runtime.ts');
  return withRuntime(undefined, async (runtime, socket) => {
    const made = here
      ? await planHere(CRI, wanted, { ...chosen, socket, here }, runtime)
      : await planContainers(CRI, wanted, { ...chosen, socket }, runtime);
    return { ...made, settings: { ...made.settings, takeOver, leaseMs } };
  });
}

function startAgent(host: PlannedHost, order: AgentOrder): Promise<RunningAgent> {
  return startFollowedAgent(NAME, host, order, async (socket) => {
    const { Runtime } = await import('./runtime.ts');
    return new Runtime(socket);
  });
}

async function execWords(
  endpoint: EndpointPlace,
  command: readonly string[],
  how: ExecOptions,
): Promise<string[]> {
  const { wordsInPod } = await import('./inside.ts');
  return wordsInPod(endpoint, command, how);
}

async function logWords(
  endpoint: EndpointPlace,
  how: { readonly follow: boolean; readonly tail?: number },
): Promise<string[]> {
  const { wordsOfLogs } = await import('./inside.ts');
  return wordsOfLogs(endpoint, how);
}

/** The agent gives interfaces back; what a killed one has left in sandboxes is removed here. Pods stay. */
async function remove({ experiment, endpoints, agents }: Remains): Promise<string[]> {
  // Nothing of this platform's: where all are asked, whoever is no agent of it is left alone.
  if (endpoints.length === 0 && sandboxNames(experiment, NAME).length === 0) return [];
  const { endProcesses } = await import('../../machine/processes.ts');
  await endProcesses(agents);
  await stopFollowing(NAME, experiment);
  return giveBack(NAME, experiment, 'pod');
}
