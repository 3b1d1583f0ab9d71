/** The bootstraps of an experiment's agents, from the plan; and the files that keep them. */

import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { makeFolder, PRIVATE_FILE, PRIVATE_FOLDER, replaceFile } from '../../agent/files/own-files.ts';
import { namespacePath } from '../../agent/kernel/netns/namespace-files.ts';
import { type Bootstrap, bootstrapSchema, type LocalEndpoint, topologyHash } from '../../proto/bootstrap.ts';
import { listenAt, multiaddrOf } from '../mesh-address.ts';
import { bootstrapFile, identityFolder } from '../names.ts';
import { bootstrapWithPlatform } from '../platform/port/older-files.ts';
import type { Plan, PlannedEndpoint, PlannedHost } from '../platform/port/plan.ts';
import type { Origin } from '../record/description.ts';
import type { MeshSecurity } from './mesh-security.ts';

/**
 * How often an agent measures and corrects. Halving it doubles the agent's idle cost and the noise of small rates;
 * doubling it doubles the reaction to changes. Kollaps' default is the same.
 */
export const TICK_MS = 50;

/** The user's text: agents read the same. `origin`: what it was made from, for the record. */
export type TopologyText = Omit<Bootstrap['topology'], 'hash'> & { readonly origin?: Origin };

/** The settings that are the same for all agents of an experiment. */
export type AgentSettings = Pick<
  Bootstrap,
  | 'delayBackend'
  | 'leaseMs'
  | 'logFolder'
  | 'dataFolder'
  | 'partial'
  | 'metadataBudgetBps'
  | 'changeThreshold'
>;

/** By host. Without `security` every peer that reaches an agent's port can join. */
export type Bootstraps = ReadonlyMap<string, Bootstrap>;

export function makeBootstraps(
  plan: Plan,
  topology: TopologyText,
  settings: AgentSettings,
  security?: MeshSecurity,
): Bootstraps {
  const { origin: _, ...texts } = topology;
  const whole = { ...texts, hash: topologyHash(texts) };
  return new Map(
    plan.hosts.map((host) => [
      host.name,
      { ...bootstrapOf(plan, host, security), topology: whole, ...plan.settings, ...settings },
    ]),
  );
}

function bootstrapOf(plan: Plan, host: PlannedHost, security: MeshSecurity | undefined) {
  const address = (other: PlannedHost): string =>
    multiaddrOf({ address: other.address, port: other.meshPort });
  return {
    experiment: plan.experiment,
    platform: plan.platform,
    host: host.name,
    endpoints: plan.endpoints
      .filter((endpoint) => endpoint.host === host)
      .map((endpoint) => toldEndpoint(endpoint, plan)),
    mesh: {
      listen: listenAt({ address: host.address, port: host.meshPort }),
      peers: plan.hosts.filter((other) => other !== host).map(address),
      ...(security && { identity: identityFolder(plan.experiment, host.name), ...security }),
    },
    tickMs: TICK_MS,
    seed: host.index + 1,
  };
}

/** An endpoint in its agent's bootstrap. */
export function toldEndpoint(
  { number, name, namespace, interface: { name: ifname, index: ifindex }, addresses }: PlannedEndpoint,
  { outlivesAgent }: Pick<Plan, 'outlivesAgent'>,
): LocalEndpoint {
  const place = { namespace: namespacePath(namespace), ifname, ifindex };
  return { number, name, ...place, addresses: [...addresses], outlivesAgent };
}

/** For a later controller, even if an agent has ended with this one. */
export function keepBootstraps(experiment: string, bootstraps: Bootstraps): void {
  for (const [host, bootstrap] of bootstraps) {
    const file = bootstrapFile(experiment, host);
    makeFolder(dirname(file), PRIVATE_FOLDER);
    replaceFile(file, JSON.stringify(bootstrap), { mode: PRIVATE_FILE });
  }
}

/** `undefined` if the file is missing or damaged. */
export function readBootstrap(experiment: string, host: string): Bootstrap | undefined {
  try {
    return parseBootstrap(JSON.parse(readFileSync(bootstrapFile(experiment, host), 'utf8')));
  } catch {
    return undefined;
  }
}

/** Also reads bootstraps of an older version. Throws `ZodError`. */
export function parseBootstrap(told: unknown): Bootstrap {
  return bootstrapSchema.parse(bootstrapWithPlatform(told));
}

/** Names of the hosts that have a file. */
export function keptHosts(experiment: string): string[] {
  try {
    return readdirSync(dirname(bootstrapFile(experiment, 'any'))).map((file) => basename(file, '.json'));
  } catch {
    return [];
  }
}
