/** An agent's metrics over TCP, where the user asks for it: nothing else can be asked for there, and nothing be changed. */
import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import type { Sample } from '../../proto/metrics/table.ts';
import { CONTENT_TYPE, exposition } from '../../proto/metrics/text.ts';
import { AgentError } from '../errors.ts';

export interface MetricsAddress {
  /** An IP address. */
  readonly address: string;
  readonly port: number;
}

export interface Listening {
  /** Where it is: another port if 0 was asked for. */
  readonly port: number;
  close(): Promise<void>;
}

/** Throws `AgentError` (`METRICS_PORT`) for an address that can't be used. */
export async function listenForMetrics(
  read: () => readonly Sample[],
  { address, port }: MetricsAddress,
): Promise<Listening> {
  const server = fastify({ forceCloseConnections: true, bodyLimit: 1 });
  server.get('/metrics', async (_, reply) => reply.type(CONTENT_TYPE).send(await exposition(read())));
  server.setNotFoundHandler((_, reply) =>
    reply.code(404).type('text/plain').send('there is GET /metrics alone\n'),
  );
  try {
    await server.listen({ host: address, port });
  } catch (error) {
    await server.close();
    throw new AgentError(
      'METRICS_PORT',
      `metrics can't be served at ${address}:${port}: ${(error as Error).message}`,
      'choose another one with --metrics; ss -ltnp shows who listens',
      error,
    );
  }
  return { port: (server.server.address() as AddressInfo).port, close: () => server.close() };
}
