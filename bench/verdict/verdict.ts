/** The verdict bench: no false alarm, causes that are named soon, and what probes cost. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Experiment } from '../../controller/experiment/experiment.ts';
import type { ExperimentVerdict } from '../../controller/fidelity/verdict.ts';
import type { Cause } from '../../proto/status.ts';
import { millisToSeconds } from '../../proto/units.ts';
import { withLab } from '../lab.ts';
import { machineBackend } from '../measure/backend.ts';
import { median, range } from '../measure/statistics.ts';
import { least, reported } from '../report/judge.ts';
import type { Row, Table } from '../report/model.ts';
import { type VerdictBench, type VerdictOptions, verdictOf } from './asked.ts';
import { measureCost } from './cost.ts';
import { IdleTime } from './idle-time.ts';
import { measureNamed } from './named.ts';
import { HOSTS, UNDISTURBED } from './topologies.ts';

const RUNS = 20;
const QUICK_RUNS = 2;
/** Since the timeline began. */
const RUN_MS = 12_000;
/** Of the worst of a code, so many are named. */
const NAMED = 3;

interface Run {
  readonly verdict: ExperimentVerdict;
  /** The part of the machine's processors that was idle meanwhile. */
  readonly idle: number;
}

/** Throws `DELAY_BACKEND_MISSING` or `MACHINE_CANNOT` before anything is measured. */
export async function measureVerdict(options: VerdictOptions): Promise<Table[]> {
  const all: VerdictBench = { ...options, backend: machineBackend() };
  if (options.causes) return [await measureNamed(all)];
  return [await undisturbed(all), await measureNamed(all), await measureCost(all)];
}

async function undisturbed({ quick, backend, interruption, say }: VerdictBench): Promise<Table> {
  const runs = quick ? QUICK_RUNS : RUNS;
  const rows: Row[] = [];
  for (const { name, text } of UNDISTURBED) {
    const found: Run[] = [];
    for (let run = 1; run <= runs; run++) {
      say(`${name}, undisturbed, run ${run} of ${runs}`);
      const use = async ({ experiment }: { experiment: Experiment }): Promise<Run> => {
        await experiment.run();
        const idleTime = new IdleTime();
        await sleep(RUN_MS);
        const idle = idleTime.part();
        return { verdict: await verdictOf(experiment), idle };
      };
      found.push(await withLab(text(), backend, interruption, use, HOSTS));
    }
    rows.push(...alarms(name, found));
  }
  return {
    id: 'undisturbed',
    title: `runs of ${millisToSeconds(RUN_MS)} s that nobody disturbs`,
    backend,
    source:
      'issue 16: twenty undisturbed runs of the quickstart and of a topology with 100 endpoints are faithful',
    method: `Each in a lab of its own on ${HOSTS} emulated hosts, with its applications; the verdict at the end. Below: in how many runs each cause was named, and the worst of its values, each with its bound. Run it on a machine with nothing else to do: a full processor is a cause, and idle time says whether it was so.`,
    sampled: 'runs',
    rows,
  };
}

function alarms(what: string, runs: readonly Run[]): Row[] {
  const wrong = runs.filter(({ verdict }) => verdict.verdict !== 'faithful');
  const samples = runs.length;
  const idle = runs.map((run) => run.idle);
  const busiest = wrong.map((run) => `${(run.idle * 100).toFixed(0)} %`).slice(0, NAMED);
  const codes = new Set(wrong.flatMap(({ verdict }) => verdict.causes.map(({ code }) => code)));
  return [
    least(`${what}: not faithful`, 'count', 0, {
      ...{ measured: wrong.length, spread: null, samples },
      note: wrong.length === 0 ? '' : `idle in these: ${busiest.join(', ')}`,
    }),
    ...[...codes].sort().map((code) => {
      const named = wrong.filter(({ verdict }) => verdict.causes.some((one) => one.code === code));
      const note = worstOf(named.flatMap(({ verdict }) => verdict.causes.filter((one) => one.code === code)));
      return reported(`${what}: runs with ${code}`, 'count', {
        ...{ measured: named.length, spread: null, samples, note },
      });
    }),
    reported(`${what}: idle time of the machine`, 'ratio', {
      ...{ measured: median(idle), spread: range(idle), samples },
    }),
  ];
}

/** Those that are farthest beyond their bounds, each with its value. */
function worstOf(causes: readonly Cause[]): string {
  const beyond = ({ measured, bound }: Cause): number => Math.abs(measured - bound);
  return causes
    .toSorted((one, other) => beyond(other) - beyond(one))
    .slice(0, NAMED)
    .map(({ host, path, measured, bound, unit }) => {
      return `${path ?? host}: ${measured} ${unit} (bound ${Number(bound.toPrecision(4))})`;
    })
    .join('; ');
}
