/** The verdict bench: no false alarm, causes that are named soon, and what probes cost. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Experiment } from '../../controller/experiment/experiment.ts';
import type { ExperimentVerdict } from '../../controller/fidelity/verdict.ts';
import { millisToSeconds } from '../../proto/units.ts';
import { withLab } from '../lab.ts';
import { machineBackend } from '../measure/backend.ts';
import { least } from '../report/judge.ts';
import type { Row, Table } from '../report/model.ts';
import { type VerdictBench, type VerdictOptions, verdictOf } from './asked.ts';
import { measureCost } from './cost.ts';
import { measureNamed } from './named.ts';
import { HOSTS, UNDISTURBED } from './topologies.ts';

const RUNS = 20;
const QUICK_RUNS = 2;
/** Since the timeline began. */
const RUN_MS = 12_000;

/** Throws `DELAY_BACKEND_MISSING` or `MACHINE_CANNOT` before anything is measured. */
export async function measureVerdict(options: VerdictOptions): Promise<Table[]> {
  const all: VerdictBench = { ...options, backend: machineBackend() };
  return [await undisturbed(all), await measureNamed(all), await measureCost(all)];
}

async function undisturbed({ quick, backend, interruption, say }: VerdictBench): Promise<Table> {
  const runs = quick ? QUICK_RUNS : RUNS;
  const rows: Row[] = [];
  for (const { name, text } of UNDISTURBED) {
    const found: ExperimentVerdict[] = [];
    for (let run = 1; run <= runs; run++) {
      say(`${name}, undisturbed, run ${run} of ${runs}`);
      const use = async ({ experiment }: { experiment: Experiment }): Promise<ExperimentVerdict> => {
        await experiment.run();
        await sleep(RUN_MS);
        return verdictOf(experiment);
      };
      found.push(await withLab(text(), backend, interruption, use, HOSTS));
    }
    rows.push(alarms(name, found));
  }
  return {
    id: 'undisturbed',
    title: `runs of ${millisToSeconds(RUN_MS)} s that nobody disturbs`,
    backend,
    source:
      'issue 16: twenty undisturbed runs of the quickstart and of a topology with 100 endpoints are faithful',
    method: `Each in a lab of its own on ${HOSTS} emulated hosts, with its applications; the verdict at the end. Run it on a machine with nothing else to do: a full processor is a cause.`,
    sampled: 'runs',
    rows,
  };
}

function alarms(what: string, verdicts: readonly ExperimentVerdict[]): Row {
  const wrong = verdicts.filter(({ verdict }) => verdict !== 'faithful');
  const causes = wrong.flatMap((one) => one.causes).map(({ code, host, path }) => `${code} ${path ?? host}`);
  return least(`${what}: not faithful`, 'count', 0, {
    ...{ measured: wrong.length, spread: null, samples: verdicts.length },
    note: [...new Set(causes)].slice(0, 3).join('; '),
  });
}
