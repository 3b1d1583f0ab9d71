/** Serves agents what they need to start; afterwards they need nothing of the controller. */
import { chmodSync } from 'node:fs';
import fastify, { type FastifyInstance } from 'fastify';
import { type Bootstrap, topologyHash } from '../../proto/bootstrap.ts';
import type { LabHost, LabPlan } from '../lab/lab-plan.ts';
import { controllerSocket, identityFolder, pathOfNamespace } from '../lab/names.ts';
import type { MeshSecurity } from './mesh-security.ts';

/**
 * How often an agent measures and corrects. Halving it doubles the agent's idle cost and the noise of small rates;
 * doubling it doubles the reaction to changes. Kollaps' default is the same.
 */
export const TICK_MS = 50;

/** As the user gave it: agents read the same. */
export type TopologyText = Omit<Bootstrap['topology'], 'hash'>;

/** What all agents of an experiment are told alike. */
export type AgentSettings = Pick<
  Bootstrap,
  'delayBackend' | 'leaseMs' | 'logFolder' | 'takeOver' | 'metadataBudgetBps' | 'changeThreshold'
>;

/**
 * `startAt` gives when the experiment has started, for agents that come later. Without `security` whoever reaches an
 * agent's port can join.
 */
export async function serveBootstrap(
  plan: LabPlan,
  topology: TopologyText,
  settings: AgentSettings,
  security?: MeshSecurity,
  startAt: () => number | undefined = () => undefined,
): Promise<FastifyInstance> {
  const server = fastify();
  const hash = topologyHash(topology);
  server.get<{ Params: { host: string } }>('/bootstrap/:host', async ({ params }, reply) => {
    const bootstrap = bootstrapOf(plan, params.host, { ...topology, hash }, settings, security);
    if (!bootstrap)
      return reply.code(404).send({ error: `there is no host "${params.host}" in this experiment` });
    const started = startAt();
    return { ...bootstrap, ...(started !== undefined && { startAt: started }) };
  });
  await server.listen({ path: controllerSocket(plan.experiment) });
  // The mesh's key is among what it tells.
  chmodSync(controllerSocket(plan.experiment), 0o600);
  return server;
}

function bootstrapOf(
  plan: LabPlan,
  hostName: string,
  topology: Bootstrap['topology'],
  settings: AgentSettings,
  security: MeshSecurity | undefined,
): Bootstrap | undefined {
  const host = plan.hosts.find(({ name }) => name === hostName);
  if (!host) return undefined;
  const address = (other: LabHost): string => `/ip4/${other.address}/tcp/${other.meshPort}`;
  return {
    experiment: plan.experiment,
    host: host.name,
    topology,
    endpoints: plan.endpoints
      .filter((endpoint) => endpoint.host === host)
      .map(({ number, name, namespace, interface: { name: ifname, index: ifindex }, addresses }) => ({
        number,
        name,
        namespace: pathOfNamespace(namespace),
        ifname,
        ifindex,
        addresses: [...addresses],
        existing: plan.existing,
      })),
    mesh: {
      listen: [address(host)],
      peers: plan.hosts.filter((other) => other !== host).map(address),
      ...(security && { identity: identityFolder(plan.experiment, host.name), ...security }),
    },
    tickMs: TICK_MS,
    seed: host.index + 1,
    ...settings,
  };
}
