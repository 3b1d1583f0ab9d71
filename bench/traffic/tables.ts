/** The traffic bench as tables. Pure. */
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import { formatBps } from '../../proto/units.ts';
import type { CpuUse } from '../measure/cpu/cpu-watch.ts';
import { mean, quantile, range, sum } from '../measure/statistics.ts';
import { judge, least, reported } from '../report/judge.ts';
import type { Row, Table } from '../report/model.ts';
import { apart, burstsOf, DISTRIBUTIONS, distance } from './bursts.ts';
import { BURSTY, EACH, FRAME_BYTES, MEAN_SECONDS, SHAPE, SOURCES, STEADY_BPS } from './labs.ts';

/** What a thousand sources have done; lists have a value for each. */
export interface Steady {
  readonly seconds: number;
  /** Datagrams that each should have sent. */
  readonly wanted: number;
  readonly sent: readonly number[];
  readonly received: readonly number[];
  readonly late: readonly number[];
  readonly refused: readonly number[];
  readonly idle: CpuUse;
  readonly busy: CpuUse;
}

/** Datagrams of a run with seeds: by source, when they left, in milliseconds since the start. */
export interface Seeded {
  readonly times: ReadonlyMap<number, readonly number[]>;
  readonly seconds: number;
}

/** The issue that asked for them names these bounds. */
const MOST = { rateError: 0.01, cores: 0.2, apartMs: 1 } as const;
/** Of samples of the distribution itself, one in a hundred is further away than this, by the root of its size (Kolmogorov 1933). */
const KOLMOGOROV_99 = 1.63;

export function tablesOf(
  steady: Steady,
  runs: readonly [Seeded, Seeded],
  backend: DelayBackendName,
): Table[] {
  return [
    {
      id: 'traffic-rates',
      title: `${SOURCES} sources at a constant rate, on one host`,
      backend,
      source: 'netfold',
      method: `Each sends ${formatBps(STEADY_BPS)} in frames of ${FRAME_BYTES} bytes, and all are received on the same host. Counted from status to status; a datagram more or less at the ends is no error. Processor time is that of the agent with all its threads, less that of the same agent before the traffic begins.`,
      sampled: 'sources, or slices of 5 s',
      rows: steadyRows(steady),
    },
    {
      id: 'traffic-bursts',
      title: 'times of bursts and pauses beside their distribution',
      backend,
      source: 'Kolmogorov 1933',
      method: `${EACH} sources of each kind, times with a mean of ${MEAN_SECONDS} s (Pareto's shape ${SHAPE}), captured where they leave. The greatest distance between the sample's distribution and the one that was asked for; of samples of the distribution itself, one in a hundred is further away than the bound.`,
      sampled: 'bursts or pauses',
      rows: BURSTY.flatMap((kind, place) => burstRows(kind, place, runs[0])),
    },
    {
      id: 'traffic-repeats',
      title: 'the same datagrams at the same times in two runs',
      backend,
      source: 'netfold',
      method:
        'The bursts of the table above and as many constant sources, twice: when each datagram of each source has left, since the start of its run.',
      sampled: 'datagrams',
      rows: repeatRows(runs),
    },
  ];
}

function steadyRows({ wanted, sent, received, late, refused, idle, busy, seconds }: Steady): Row[] {
  const off = (counts: readonly number[]): number[] =>
    counts.map((count) => Math.max(0, Math.abs(count - wanted) - 1) / wanted);
  const worst = (what: string, counts: readonly number[]): Row =>
    least(what, 'ratio', MOST.rateError, {
      measured: Math.max(...off(counts)),
      spread: range(off(counts)),
      samples: counts.length,
      note: `${Math.round(wanted)} datagrams each in ${seconds.toFixed(1)} s`,
    });
  const cores = (use: CpuUse): number[] => [...use.agents[0]!];
  const before = mean(cores(idle));
  const own = cores(busy).map((value) => value - before);
  return [
    worst('the source whose rate is furthest off, sent', sent),
    worst('the same, received', received),
    reported('not sent, being late', 'count', { measured: sum(late), spread: null, samples: late.length }),
    reported('refused by a full queue', 'count', {
      measured: sum(refused),
      spread: null,
      samples: refused.length,
    }),
    least('processor time of the traffic', 'cores', MOST.cores, {
      measured: mean(own),
      spread: range(own),
      samples: own.length,
      note: `${Math.round(sum(sent) / seconds)} datagrams a second sent and received`,
    }),
    reported('the agent before the traffic', 'cores', {
      measured: before,
      spread: range(cores(idle)),
      samples: cores(idle).length,
    }),
    reported('the whole machine meanwhile', 'cores', {
      measured: mean(busy.machine),
      spread: range(busy.machine),
      samples: busy.machine.length,
    }),
  ];
}

function burstRows(kind: (typeof BURSTY)[number], place: number, { times }: Seeded): Row[] {
  const sources = Array.from({ length: EACH }, (_, index) => burstsOf(times.get(place * EACH + index) ?? []));
  return (['on', 'off'] as const).map((part) => {
    const sample = sources.flatMap((one) => one[part]);
    return least(
      `${kind}, ${part === 'on' ? 'bursts' : 'pauses'}`,
      'ratio',
      KOLMOGOROV_99 / Math.sqrt(sample.length),
      {
        measured: distance(sample, DISTRIBUTIONS[kind]),
        spread: null,
        samples: sample.length,
        note: `mean ${mean(sample).toFixed(3)} s`,
      },
    );
  });
}

function repeatRows([first, second]: readonly [Seeded, Seeded]): Row[] {
  const { distances, others } = apart(first.times, second.times);
  const within = distances.filter((distance) => distance <= MOST.apartMs).length / distances.length;
  const bound = { kind: 'absolute', value: 0.01, bad: 'below' } as const;
  return [
    judge(
      { what: 'datagrams within 1 ms of those of the other run', unit: 'ratio', target: 1, bound },
      {
        measured: within,
        spread: null,
        samples: distances.length,
        note: `half within ${quantile(distances, 0.5).toFixed(3)} ms, 99 % within ${quantile(distances, 0.99).toFixed(3)} ms`,
      },
    ),
    least('datagrams that one run has and the other has not', 'count', first.times.size, {
      measured: others,
      spread: null,
      samples: distances.length,
      note: 'one of each source may fall before or after the end',
    }),
  ];
}
