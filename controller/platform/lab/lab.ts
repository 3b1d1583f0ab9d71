/**
 * The local lab: every endpoint and every host is a network namespace on this machine, made for the experiment and
 * named after it. Modules that need libc are loaded on demand: `exec` and `ls` must start at once.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import { underHostName } from '../../../agent/kernel/netns/host-name.ts';
import { listNamespaces, namespacePath } from '../../../agent/kernel/netns/namespace-files.ts';
import { count } from '../../../proto/words.ts';
import { inNamespace } from '../../names.ts';
import type { OnProgress } from '../../progress.ts';
import { readOptions } from '../port/options.ts';
import type { PlannedHost } from '../port/plan.ts';
import type {
  AgentOrder,
  EndpointPlace,
  Leftover,
  Platform,
  Remains,
  RunningAgent,
  Standing,
  Wanted,
  Watch,
} from '../port/platform.ts';
import { isStanding, standingPlan } from '../port/standing.ts';
import { familiesOf, IP_CHOICES } from './ip-choice.ts';
import { experimentOf, fabricNamespace, hostNamespace } from './lab-names.ts';
import { LAB, type LabPlan, planLab } from './lab-plan.ts';
import { SPREADS } from './spread.ts';

const optionsSchema = z.strictObject({
  /** Emulated ones, each with an agent and its part of the endpoints. */
  hosts: z.number(),
  /** IP versions of the endpoints; absent: both, or IPv4 on a kernel without IPv6. */
  ip: z.enum(IP_CHOICES).optional(),
  /** Which endpoint is on which host; absent: in turn. */
  spread: z.enum(SPREADS).optional(),
});

export type LabOptions = z.infer<typeof optionsSchema>;

export const lab: Platform<LabPlan> = {
  name: LAB,
  runsImages: false,
  plan,
  make,
  startAgent,
  exec: ({ name, namespace }: EndpointPlace, command) => inNamespace(namespace, underHostName(name, command)),
  remove,
  findLeftovers,
};

async function plan(wanted: Wanted | Standing): Promise<LabPlan> {
  if (isStanding(wanted)) return planOfStanding(wanted);
  const { hasIpv6 } = await import('../../../agent/kernel/netns/ip-settings.ts');
  const { requireRoom } = await import('./room.ts');
  const { byTraffic } = await import('./by-traffic.ts');
  const { hosts, ip, spread } = readOptions(LAB, optionsSchema, wanted.options);
  const hostOf = spread === 'traffic' ? await byTraffic(wanted.topology, hosts) : undefined;
  const choices = { ...familiesOf(ip, hasIpv6()), ...(hostOf && { hostOf }) };
  const made = planLab(wanted.experiment, wanted.endpoints, hosts, choices);
  requireRoom(made, wanted.topology);
  return made;
}

/** Without the networks of hosts, which are needed only to make a lab. */
function planOfStanding(wanted: Standing): LabPlan {
  const found = standingPlan(wanted, (host) => hostNamespace(wanted.experiment, host));
  const hosts = found.hosts.map((host) => ({ ...host, networks: [] }));
  const endpoints = found.endpoints.map((one) => ({ ...one, host: hosts[one.host.index]! }));
  const addresses = endpoints.flatMap((endpoint) => endpoint.addresses);
  const [first] = wanted.standing.values();
  return {
    ...found,
    ...{ platform: LAB, place: count(hosts.length, 'host'), outlivesAgent: false },
    settings: {
      ...(first?.names && { names: first.names }),
      ...(first?.segments && { segments: first.segments }),
    },
    ...{ ipv4: addresses.some(isIPv4), ipv6: addresses.some(isIPv6), hosts, endpoints },
  };
}

async function make(wanted: LabPlan, { signal, onStep, onProgress }: Watch): Promise<void> {
  const { createLab } = await import('./lab-namespaces.ts');
  const { openRoom } = await import('./room.ts');
  const { hasIpv6 } = await import('../../../agent/kernel/netns/ip-settings.ts');
  const { endpoints, place } = wanted;
  openRoom(wanted);
  onStep?.(`making ${count(endpoints.length, 'endpoint')} on ${place}`);
  if (!hasIpv6()) onStep?.('this kernel has no IPv6, so endpoints have IPv4 addresses only');
  const onEndpoints = (done: number): void =>
    onProgress?.({ doing: 'making endpoints', done, of: endpoints.length });
  await createLab(wanted, { onEndpoints, ...(signal && { signal }) });
}

/** Inside the host's namespace. */
async function startAgent(host: PlannedHost, order: AgentOrder): Promise<RunningAgent> {
  const { localAgent } = await import('../../machine/agent-process.ts');
  return localAgent(host.namespace, order);
}

/** Everything of a lab (interfaces, qdiscs, rules, BPF programs) is in its namespaces and is removed with them. */
async function remove({ experiment, agents }: Remains, onProgress?: OnProgress): Promise<string[]> {
  const { endProcesses, processesIn } = await import('../../machine/processes.ts');
  const { removeLab } = await import('./lab-namespaces.ts');
  const namespaces = namespacesOf(experiment);
  await endProcesses(() => [...new Set([...processesIn(namespaces), ...agents()])]);
  const removed = await removeLab(experiment, (done, of) =>
    onProgress?.({ doing: 'removing namespaces', done, of }),
  );
  return removed > 0 ? [`${count(removed, 'namespace')} removed`] : [];
}

const namespacesOf = (experiment: string): string[] =>
  listNamespaces().filter((name) => experimentOf(name) === experiment);

/** The names of namespaces are the marks, and contain the experiment, so there is nothing else. */
function findLeftovers(): Leftover[] {
  return listNamespaces().flatMap((name): Leftover[] => {
    const experiment = experimentOf(name);
    if (experiment === undefined) return [];
    const host = hostOf(name, experiment);
    const remove = async (): Promise<void> => {
      const { removeNamespace } = await import('../../../agent/kernel/netns/namespaces.ts');
      removeNamespace(name);
    };
    return [{ what: `the namespace ${namespacePath(name)}`, experiment, ...(host && { host }), remove }];
  });
}

function hostOf(namespace: string, experiment: string): string | undefined {
  const prefix = hostNamespace(experiment, '');
  const isHost = namespace.startsWith(prefix) && namespace !== fabricNamespace(experiment);
  return isHost ? namespace.slice(prefix.length) : undefined;
}
