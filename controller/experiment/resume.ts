/** Finds out what a running experiment is, for a controller that comes after the one that has started it. */
import { existsSync, readdirSync } from 'node:fs';
import { isIP } from 'node:net';
import { basename } from 'node:path';
import { listNamespaces, namespaceName, OWN_NAMESPACE } from '../../agent/kernel/netns/namespace-files.ts';
import { type Bootstrap, bootstrapSchema, type LocalEndpoint } from '../../proto/bootstrap.ts';
import { callJson, HttpError } from '../../proto/http-json.ts';
import { ControllerError } from '../errors.ts';
import { agentSocket, controllerSocket, experimentFolder, fabricNamespace, hostNamespace } from '../names.ts';
import type { LabEndpoint, LabHost, LabPlan } from '../platform/lab/lab-plan.ts';
import { type Bootstraps, keptHosts, readBootstrap } from './bootstraps.ts';
import { readState } from './state.ts';

export interface Recovered {
  readonly plan: LabPlan;
  readonly bootstraps: Bootstraps;
  /** Milliseconds since 1970 by this machine's date; `undefined` if it has not begun. */
  readonly startAt: number | undefined;
}

/**
 * Each agent tells what it was told; for one that is gone, its file does. Throws `EXPERIMENT_ATTENDED` where a controller
 * is there, and `RESUME_INCOMPLETE`, which names what is missing.
 */
export async function recover(experiment: string): Promise<Recovered> {
  if (readState(experiment)?.joined) throw attended(experiment, 'an agent that has joined it by itself');
  await requireUnattended(experiment);
  const hosts = hostsOf(experiment);
  const bootstraps = new Map<string, Bootstrap>();
  const missing: string[] = [];
  for (const host of hosts) {
    const bootstrap = (await askAgent(experiment, host)) ?? readBootstrap(experiment, host);
    if (bootstrap) bootstraps.set(host, bootstrap);
    else missing.push(`the agent of ${host} does not answer, and its file is gone`);
  }
  if (hosts.length === 0) missing.push('neither experiment.json, nor an agent, nor a host tells of it');
  if (missing.length > 0) throw incomplete(experiment, missing);
  const starts = [...bootstraps.values()].flatMap(({ startAt }) => startAt ?? []);
  return { plan: planOf(experiment, bootstraps), bootstraps, startAt: starts[0] };
}

async function requireUnattended(experiment: string): Promise<void> {
  try {
    await callJson(`unix:${controllerSocket(experiment)}`, '/bootstrap/-');
  } catch (error) {
    // It knows no such host, but it is there.
    if (error instanceof HttpError && error.code === 'UNREACHABLE') return;
  }
  throw attended(experiment, 'a controller already');
}

const attended = (experiment: string, what: string): ControllerError =>
  new ControllerError(
    'EXPERIMENT_ATTENDED',
    `${experiment} has ${what}`,
    `end the experiment with \`netfold down ${experiment}\``,
  );

/** From whatever is left: the state file, the bootstraps' files, the agents' sockets, a lab's namespaces. */
function hostsOf(experiment: string): string[] {
  const prefix = hostNamespace(experiment, '');
  const namespaces = listNamespaces().filter(
    (name) => name.startsWith(prefix) && name !== fabricNamespace(experiment),
  );
  const stated = readState(experiment)?.hosts.map(({ name }) => name) ?? [];
  const kept = [...keptHosts(experiment), ...socketHosts(experiment)];
  return [...new Set([...stated, ...kept, ...namespaces.map((name) => name.slice(prefix.length))])];
}

function socketHosts(experiment: string): string[] {
  const others = basename(controllerSocket(experiment));
  const folder = experimentFolder(experiment);
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((file) => file.endsWith('.sock') && file !== others);
  return files.map((file) => basename(file, '.sock'));
}

async function askAgent(experiment: string, host: string): Promise<Bootstrap | undefined> {
  try {
    return bootstrapSchema.parse(await callJson(`unix:${agentSocket(experiment, host)}`, '/bootstrap'));
  } catch {
    return undefined;
  }
}

/** What was planned, but for the networks of hosts, which only the making of a lab needs. */
export function planOf(experiment: string, bootstraps: Bootstraps): LabPlan {
  const existing = [...bootstraps.values()].some((one) =>
    one.endpoints.some((endpoint) => endpoint.outlivesAgent),
  );
  const all = [...bootstraps.values()].map((bootstrap, index) => {
    const host = hostOf(experiment, bootstrap, index, existing);
    return { host, endpoints: bootstrap.endpoints.map((endpoint) => endpointOf(endpoint, host)) };
  });
  const endpoints = all.flatMap((one) => one.endpoints).sort((a, b) => a.number - b.number);
  const ipv6 = endpoints.some(({ addresses }) => addresses.some((address) => isIP(address) === 6));
  return { experiment, existing, ipv6, hosts: all.map(({ host }) => host), endpoints };
}

function hostOf(
  experiment: string,
  { host: name, mesh }: Bootstrap,
  index: number,
  existing: boolean,
): LabHost {
  const [, , address = '', , port = '0'] = (mesh.listen[0] ?? '').split('/');
  const namespace = existing ? OWN_NAMESPACE : hostNamespace(experiment, name);
  return { index, name, namespace, address, meshPort: Number(port), networks: [] };
}

function endpointOf(endpoint: LocalEndpoint, host: LabHost): LabEndpoint {
  const { number, name, namespace, ifname, ifindex, addresses } = endpoint;
  return {
    ...{ number, name, addresses, host },
    namespace: namespaceName(namespace),
    interface: { name: ifname, index: ifindex },
    address: addresses.find((one) => isIP(one) === 4) ?? addresses[0]!,
  };
}

function incomplete(experiment: string, missing: readonly string[]): ControllerError {
  return new ControllerError(
    'RESUME_INCOMPLETE',
    `${experiment} can't be resumed: ${missing.join('; ')}`,
    `take it away with \`netfold down ${experiment}\`, and start it again`,
  );
}
