/** `npm run fuzz -- --requests N`: the API in this process with made-up experiments, or a real one. */
import { fromMillis, megabytes, toSeconds } from '../../proto/units.ts';
import { type ApiFuzzReport, fuzzApi, injected } from './api-fuzz.ts';

export interface AskOptions {
  readonly seed: number;
  readonly requests: number;
  readonly real: boolean;
  readonly minutes: number;
  /** Whether `minutes` bounds it. */
  readonly isTimed: boolean;
}

export async function askApi(options: AskOptions): Promise<ApiFuzzReport> {
  const { seed, requests, minutes, isTimed } = options;
  let isInterrupted = false;
  const start = performance.now();
  const isLate = (): boolean => isTimed && toSeconds(fromMillis(performance.now() - start)) > 60 * minutes;
  const how = { seed, requests, isOver: () => isInterrupted || isLate() };
  if (!options.real) return askHere(how);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (isInterrupted = true));
  return askReal(how);
}

type How = Pick<AskOptions, 'seed' | 'requests'> & { readonly isOver: () => boolean };

async function askHere(how: How): Promise<ApiFuzzReport> {
  const { openApiLab, TOKEN } = await import('../support/api-server.ts');
  const { NAME } = await import('../support/fakes/fake-experiments.ts');
  const api = await openApiLab();
  api.experiments.waits = false;
  const headers = { host: '127.0.0.1:4647', authorization: `Bearer ${TOKEN}` };
  return fuzzApi(injected(api.server, headers), { ...how, experiment: NAME });
}

/** Also what the processes have taken, at the start and at the end. */
async function askReal(how: How): Promise<ApiFuzzReport> {
  const { openRealApi } = await import('./real-api.ts');
  const api = await openRealApi(`fuzz-${process.pid}`);
  try {
    const before = taken(api.samples());
    const report = await fuzzApi(api, { ...how, ...api.options });
    return { ...report, ...{ started: api.started, taken: { before, after: taken(api.samples()) } } };
  } finally {
    await api.close();
  }
}

interface Taken {
  readonly rssBytes: number;
  readonly descriptors: number;
}

function taken({ server, agents }: { readonly server: Taken; readonly agents: readonly Taken[] }) {
  const of = ({ rssBytes, descriptors }: Taken) => ({
    megabytes: Math.round(megabytes(rssBytes)),
    descriptors,
  });
  return { server: of(server), agents: agents.map(of) };
}
