/** The API's server for tests, in memory. */
import type { FastifyInstance } from 'fastify';
import { Allowance } from '../../controller/api/access/allowance.ts';
import type { TlsIdentity } from '../../controller/api/access/tls.ts';
import { Guard } from '../../controller/api/guard.ts';
import { buildServer } from '../../controller/api/server.ts';
import { STREAM_LIMITS, type StreamLimits, Streams } from '../../controller/api/streams.ts';
import { FakeExperiments, fakeInside } from './fakes/fake-experiments.ts';

export const TOKEN = 'a'.repeat(43);

export interface ApiLab {
  readonly server: FastifyInstance;
  readonly guard: Guard;
  readonly experiments: FakeExperiments;
  readonly streams: Streams;
  close(): Promise<void>;
}

export interface ApiLabOptions {
  readonly requests?: { readonly perSecond: number; readonly atOnce: number };
  readonly streams?: Partial<StreamLimits>;
  readonly openMetrics?: boolean;
  /** In PEM. */
  readonly tls?: TlsIdentity;
}

const ANY_NUMBER = { perSecond: 1e9, atOnce: 1e9 };

export async function openApiLab(options: ApiLabOptions = {}): Promise<ApiLab> {
  const { requests = ANY_NUMBER } = options;
  const experiments = await FakeExperiments.open();
  const now = (): number => performance.now();
  const streams = new Streams(experiments, now, { ...STREAM_LIMITS, ...options.streams });
  const guard = new Guard({ own: { port: 4647, token: TOKEN }, names: ['lab.example'], now: Date.now });
  const allowance = new Allowance(now, requests);
  const server = await buildServer({
    experiments,
    inside: fakeInside,
    guard,
    allowance,
    streams,
    version: '1.2.3',
    openMetrics: options.openMetrics ?? false,
    tls: options.tls,
  });
  await server.ready();
  return {
    ...{ server, guard, experiments, streams },
    close: async () => {
      await server.close();
      await experiments.close();
    },
  };
}
