/** The setup bench: how long it takes to make and to remove thousands of endpoints. */
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import { BenchError } from '../errors.ts';
import type { Interruption } from '../lab.ts';
import { machineBackend } from '../measure/backend.ts';
import { mostExpensive } from '../measure/cpu/profile.ts';
import { endAgents, profiled, spanOf } from '../measure/cpu/profiling.ts';
import { scaleFreeText } from '../measure/scale-free.ts';
import { PingCrowd } from '../measure/traffic/ping-crowd.ts';
import type { Figure, Table } from '../report/model.ts';
import { pingPairs } from '../scale/ring.ts';
import { upAndDown } from './stages.ts';
import { figureOf, type SetupRun, tablesOf } from './tables.ts';

/** Of `netfold generate scale-free`: 332, 666, 1,344 and 2,668 endpoints. */
const SIZES = [500, 1000, 2000, 4000];
const QUICK_SIZES = [60, 120];
const SEED = 1;
const ROUNDS = 3;
const STAGGER_MS = 5;
const PROFILE_ROWS = 25;

export interface SetupOptions {
  readonly quick: boolean;
  readonly nodes?: readonly number[] | undefined;
  readonly profile: boolean;
  readonly interruption: Interruption;
  readonly say: (text: string) => void;
}

/** Throws `DELAY_BACKEND_MISSING` or `MACHINE_CANNOT` before anything is measured. */
export async function measureSetup(options: SetupOptions): Promise<{ tables: Table[]; figures: Figure[] }> {
  const backend = machineBackend();
  const runs: SetupRun[] = [];
  for (const nodes of options.nodes ?? (options.quick ? QUICK_SIZES : SIZES)) {
    const run = () => rounds(nodes, backend, options);
    if (!options.profile) runs.push({ nodes, spent: [], ...(await run()) });
    else {
      const { result, profiles } = await profiled(() => spanOf(run));
      const spent = mostExpensive(profiles, result.span, PROFILE_ROWS);
      runs.push({ nodes, spent, ...result.result });
    }
  }
  return { tables: tablesOf(runs, backend), figures: [figureOf(runs)] };
}

type Rounds = Pick<SetupRun, 'endpoints' | 'rounds'>;

async function rounds(
  nodes: number,
  backend: DelayBackendName,
  { quick, profile, interruption, say }: SetupOptions,
): Promise<Rounds> {
  const text = scaleFreeText(nodes, SEED);
  let endpoints = 0;
  const all: Rounds['rounds'][number][] = [];
  for (let round = 1; round <= (quick || profile ? 1 : ROUNDS); round++) {
    const one = await upAndDown(text, backend, interruption, async (experiment) => {
      const { plan, graph } = experiment;
      endpoints = plan.endpoints.length;
      await requireReachable(new PingCrowd(pingPairs(graph, plan.endpoints, SEED), ONE_PING));
      if (profile) await endAgents(experiment);
    });
    say(`${endpoints} endpoints: up in ${one.up.whole.toFixed(1)} s, down in ${one.down.whole.toFixed(1)} s`);
    all.push(one);
  }
  return { endpoints, rounds: all };
}

const ONE_PING = { count: 1, intervalMs: 1000, staggerMs: STAGGER_MS };

async function requireReachable(crowd: PingCrowd): Promise<void> {
  try {
    const summaries = await crowd.ended();
    const silent = summaries.filter(({ received }) => received === 0).length;
    if (silent === 0) return;
    const message = `${silent} of ${summaries.length} endpoints had no answer to their first ping`;
    throw new BenchError('NOTHING_ARRIVED', message);
  } finally {
    crowd.stop();
  }
}
