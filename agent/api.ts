/** The agent's own door: a unix socket on its machine. */
import { rmSync } from 'node:fs';
import fastify, { type FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { AgentRecord } from '../proto/record.ts';
import type { AgentStatus } from '../proto/status.ts';

const runSchema = z.strictObject({ startAt: z.number() });

export interface AgentDoor {
  status(): AgentStatus;
  record(): AgentRecord;
  /** Starts applications and timeline at this time, in milliseconds since 1970. */
  run(startAt: number): void;
  /** Ends the agent; the answer goes out first. */
  stop(): void;
}

export async function openApi(agent: AgentDoor, socket: string): Promise<FastifyInstance> {
  const server = fastify();
  server.get('/status', async () => agent.status());
  server.get('/record', async () => agent.record());
  server.post('/run', async ({ body }) => {
    agent.run(runSchema.parse(body).startAt);
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
