/** The API's server for tests, in memory. */
import type { FastifyInstance } from 'fastify';
import { Allowance } from '../../controller/api/allowance.ts';
import { Guard } from '../../controller/api/guard.ts';
import { buildServer } from '../../controller/api/server.ts';
import { FakeExperiments, fakeInside } from './fakes/fake-experiments.ts';

export const TOKEN = 'a'.repeat(43);

export interface ApiLab {
  readonly server: FastifyInstance;
  readonly guard: Guard;
  readonly experiments: FakeExperiments;
  close(): Promise<void>;
}

export async function openApiLab(requests = { perSecond: 1e9, atOnce: 1e9 }): Promise<ApiLab> {
  const experiments = await FakeExperiments.open();
  const guard = new Guard({ own: { port: 4647, token: TOKEN }, names: ['lab.example'], now: Date.now });
  const allowance = new Allowance(() => performance.now(), requests);
  const server = await buildServer({ experiments, inside: fakeInside, guard, allowance, version: '1.2.3' });
  await server.ready();
  return {
    ...{ server, guard, experiments },
    close: async () => {
      await server.close();
      await experiments.close();
    },
  };
}
