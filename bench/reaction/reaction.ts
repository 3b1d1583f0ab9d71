/** The reaction bench: how soon after an event every flow has its correct share. */
import { chooseDelayBackend } from '../../agent/linux/delay/delay-backend.ts';
import { type DelayBackendName, probeMachine } from '../../agent/linux/probe/probe.ts';
import { requireAbilities } from '../../controller/machine/abilities.ts';
import { formatBps, millisToSeconds } from '../../proto/units.ts';
import { loadTopology } from '../../topology/load.ts';
import { type Interruption, withLab } from '../lab.ts';
import { median, range } from '../measure/statistics.ts';
import { slidingRates } from '../measure/traffic/rates.ts';
import { judge } from '../report/judge.ts';
import type { Figure, Row, Table } from '../report/model.ts';
import type { Series } from '../report/plot.ts';
import { type Reaction, reactions } from './judging.ts';
import { type Run, runScenario } from './run.ts';
import { dynamicScenario, linksScenario, type Scenario, topologyText } from './scenarios.ts';

const HOSTS = 2;
/** Two ticks of an agent. */
const ENFORCED_MS = 100;
/** The value that the thesis reports for Kollaps. */
const SEEN_MS = 1000;
const SAMPLE_MS = 50;

export interface ReactionOptions {
  readonly quick: boolean;
  readonly interruption: Interruption;
  readonly say: (text: string) => void;
}

/** Throws `DELAY_BACKEND_MISSING` or `MACHINE_CANNOT` before anything is measured. */
export async function measureReaction(
  options: ReactionOptions,
): Promise<{ tables: Table[]; figures: Figure[] }> {
  const abilities = probeMachine();
  requireAbilities(abilities);
  const backend = chooseDelayBackend('auto', abilities);
  const pause = options.quick ? 3 : 5;
  const results = [];
  for (const scenario of [dynamicScenario(pause), linksScenario(pause)])
    results.push(await measureScenario(scenario, backend, options));
  return { tables: results.flatMap(({ tables }) => tables), figures: results.map(({ figure }) => figure) };
}

async function measureScenario(
  scenario: Scenario,
  backend: DelayBackendName,
  { quick, interruption, say }: ReactionOptions,
): Promise<{ tables: Table[]; figure: Figure }> {
  const text = topologyText(scenario);
  const { topology } = loadTopology(text, `${scenario.id}.yaml`);
  const runs: Run[] = [];
  const times = quick ? 1 : 5;
  for (let time = 1; time <= times; time++) {
    say(`${scenario.title}: ${time} of ${times}`);
    runs.push(await withLab(text, backend, interruption, (lab) => runScenario(scenario, lab), HOSTS));
  }
  const judged = runs.map((run) => reactions(scenario, topology, run));
  return { tables: tablesOf(scenario, backend, judged), figure: figureOf(scenario, runs.at(-1)!) };
}

function tablesOf(
  { id, title, source, steps }: Scenario,
  backend: DelayBackendName,
  judged: readonly (readonly Reaction[])[],
): Table[] {
  const rows = (rowOf: (reactions: readonly Reaction[]) => Row): Row[] =>
    steps.map((_, index) => rowOf(judged.map((reactions) => reactions[index]!)));
  const common = { backend, source, sampled: 'runs, of which the slowest counts' };
  return [
    {
      ...common,
      id: `${id}-enforced`,
      title: `${title}: enforced`,
      method:
        'Time until the share of every flow, by the agents’ own record of what was in force in the kernel, is within 5 % of what the whole topology gives it, and stays. Where applications start, from the first data in bulk; else from the event.',
      rows: rows((all) => rowOfTimes(all, ({ enforcedMs }) => enforcedMs, ENFORCED_MS)),
    },
    {
      ...common,
      id: `${id}-measured`,
      title: `${title}: measured`,
      method:
        'Time until the throughput of every flow at its receiver’s interface, in 50 ms, is within 5 % (or four frames) of what it is in the last second before the next event, for five samples 10 ms apart. TCP takes most of it.',
      rows: rows((all) => rowOfTimes(all, ({ measuredMs }) => measuredMs, SEEN_MS)),
    },
  ];
}

function rowOfTimes(all: readonly Reaction[], timeOf: (one: Reaction) => number, boundMs: number): Row {
  const { step, shares } = all[0]!;
  const times = all.map(timeOf);
  const known = shares.map((share) => (share === undefined ? '–' : formatBps(Math.round(share))));
  const starts = median(all.map(({ startMs }) => startMs));
  const start = step.starts ? `; the first data ${Math.round(starts)} ms after the event (median)` : '';
  return judge(
    { what: step.label, unit: 'ms', target: 0, bound: { kind: 'absolute', value: boundMs } },
    {
      measured: Math.max(...times),
      spread: times.every(Number.isFinite) ? range(times) : null,
      samples: times.length,
      note: `${known.join(', ')}${start}`,
    },
  );
}

function figureOf({ id, title, flows, steps, end }: Scenario, run: Run): Figure {
  const series = flows.flatMap(({ from }, index): Series[] => {
    const { received, share } = run.flows[index]!;
    const shares = share.map(({ atMs, value }) => [millisToSeconds(atMs), megabits(value)] as const);
    return [
      {
        name: `${from}: measured`,
        shape: 'lines',
        colour: index,
        points: everyNth(slidingRates(received, SAMPLE_MS)).map(({ atMs, bps }) => [
          millisToSeconds(atMs),
          megabits(bps),
        ]),
      },
      {
        name: `${from}: share`,
        shape: 'steps',
        isDashed: true,
        colour: index,
        points: [...shares, [end, shares.at(-1)?.[1] ?? null]],
      },
    ];
  });
  const marks = steps.map(({ at, label }) => ({ x: at, label: label.replace(/: | of /, '$&\n').trim() }));
  return {
    id,
    plot: {
      title: `Three TCP flows on two hosts: ${title}`,
      xTitle: 'time, s',
      yTitle: 'rate, Mb/s',
      series,
      marks,
    },
  };
}

/** One value per 50 ms is enough for a figure. */
function everyNth<T extends { readonly atMs: number }>(rates: readonly T[]): T[] {
  let next = 0;
  return rates.filter(({ atMs }) => {
    if (atMs < next) return false;
    next = (Math.floor(atMs / SAMPLE_MS) + 1) * SAMPLE_MS;
    return true;
  });
}

function megabits(bps: number | undefined): number | null {
  return bps === undefined || !Number.isFinite(bps) ? null : Math.round(bps / 1e3) / 1e3;
}
