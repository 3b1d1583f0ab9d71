/** Serves agents what they need to start; afterwards they need nothing of the controller. */
import { createHash } from 'node:crypto';
import fastify, { type FastifyInstance } from 'fastify';
import { namespacePath } from '../../agent/kernel/namespaces.ts';
import type { Bootstrap } from '../../proto/bootstrap.ts';
import { ENDPOINT_INTERFACE, type LabPlan, MESH_PORT } from '../lab/lab-plan.ts';
import { controllerSocket } from '../lab/names.ts';

/**
 * How often an agent measures and corrects. Halving it doubles the agent's idle cost and the noise of small rates;
 * doubling it doubles the reaction to changes. Kollaps' default is the same.
 */
export const TICK_MS = 50;

export interface TopologyText {
  readonly file: string;
  readonly text: string;
}

/** What all agents of an experiment are told alike. */
export type AgentSettings = Pick<Bootstrap, 'delayBackend' | 'logFolder'>;

export async function serveBootstrap(
  plan: LabPlan,
  topology: TopologyText,
  settings: AgentSettings,
): Promise<FastifyInstance> {
  const server = fastify();
  const hash = createHash('sha256').update(topology.text).digest('hex');
  server.get<{ Params: { host: string } }>('/bootstrap/:host', async ({ params }, reply) => {
    const bootstrap = bootstrapOf(plan, params.host, { ...topology, hash }, settings);
    return (
      bootstrap ?? reply.code(404).send({ error: `there is no host "${params.host}" in this experiment` })
    );
  });
  await server.listen({ path: controllerSocket(plan.experiment) });
  return server;
}

function bootstrapOf(
  plan: LabPlan,
  hostName: string,
  topology: Bootstrap['topology'],
  settings: AgentSettings,
): Bootstrap | undefined {
  const host = plan.hosts.find(({ name }) => name === hostName);
  if (!host) return undefined;
  const address = (other: { address: string }): string => `/ip4/${other.address}/tcp/${MESH_PORT}`;
  return {
    experiment: plan.experiment,
    host: host.name,
    topology,
    endpoints: plan.endpoints
      .filter((endpoint) => endpoint.host === host)
      .map(({ number, name, namespace, addresses }) => ({
        number,
        name,
        namespace: namespacePath(namespace),
        ifname: ENDPOINT_INTERFACE.name,
        ifindex: ENDPOINT_INTERFACE.index,
        addresses: [...addresses],
      })),
    mesh: { listen: [address(host)], peers: plan.hosts.filter((other) => other !== host).map(address) },
    tickMs: TICK_MS,
    seed: host.index + 1,
    ...settings,
  };
}
