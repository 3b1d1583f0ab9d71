/** Serves the bootstraps of agents; afterwards they don't need the controller. */
import { chmodSync, rmSync } from 'node:fs';
import fastify, { type FastifyInstance } from 'fastify';
import { keepPrivate } from '../../agent/files/umask.ts';
import { answerTo } from '../../proto/http-json.ts';
import { controllerSocket } from '../names.ts';
import type { Bootstraps } from './bootstraps.ts';

/**
 * `startedAgoMs` gives how long ago the experiment started, for agents that start later: the machine's date may have
 * been set meanwhile.
 */
export async function serveBootstrap(
  experiment: string,
  bootstraps: Bootstraps,
  startedAgoMs: () => number | undefined = () => undefined,
): Promise<FastifyInstance> {
  const server = fastify();
  server.get<{ Params: { host: string } }>('/bootstrap/:host', async ({ params }, reply) => {
    const bootstrap = bootstraps.get(params.host);
    if (!bootstrap)
      return reply.code(404).send({ error: `there is no host "${params.host}" in this experiment` });
    const ago = startedAgoMs();
    return { ...bootstrap, ...(ago !== undefined && { startedAgoMs: ago }) };
  });
  server.setErrorHandler((error, _, reply) => {
    const { status, facts } = answerTo(error);
    return reply.code(status).send(facts);
  });
  keepPrivate();
  // A killed process has left its socket.
  rmSync(controllerSocket(experiment), { force: true });
  await server.listen({ path: controllerSocket(experiment) });
  // It serves the mesh's key.
  chmodSync(controllerSocket(experiment), 0o600);
  return server;
}
