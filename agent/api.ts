/** The agent's own door: a unix socket on its machine. */
import { rmSync } from 'node:fs';
import fastify, { type FastifyInstance } from 'fastify';
import type { AgentStatus } from '../proto/status.ts';

export interface AgentDoor {
  status(): AgentStatus;
  /** Starts the `run` commands. */
  run(): void;
  /** Ends the agent; the answer goes out first. */
  stop(): void;
}

export async function openApi(agent: AgentDoor, socket: string): Promise<FastifyInstance> {
  const server = fastify();
  server.get('/status', async () => agent.status());
  server.post('/run', async () => {
    agent.run();
    return {};
  });
  server.post('/stop', async () => {
    setImmediate(() => agent.stop());
    return {};
  });
  rmSync(socket, { force: true });
  await server.listen({ path: socket });
  return server;
}
