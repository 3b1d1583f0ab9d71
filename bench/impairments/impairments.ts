/** The impairments bench: what each model does to numbered packets, beside its theory, for each delay backend of the machine. */
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import type { DelayBackendChoice } from '../../proto/bootstrap.ts';
import { lossModelOf, meanLoss } from '../../proto/models.ts';
import { type Interruption, withLab } from '../lab.ts';
import { chosenBackends } from '../measure/backend.ts';
import { judge, least } from '../report/judge.ts';
import type { Row, Table, Unit } from '../report/model.ts';
import {
  type Arrivals,
  autocorrelation,
  burstsOf,
  copiesOf,
  distance,
  extentsOf,
  lostOf,
  mean,
} from './arrivals.ts';
import { sendNumbered } from './numbered.ts';
import { regions } from './regions.ts';
import { traces } from './traces.ts';

/** A sender in JavaScript keeps this pace on one core, and either backend without a growing queue. */
const PER_SECOND = 8000;
const PACKETS = { whole: 160_000, quick: 16_000 };
const SLOW = { perSecond: 60, whole: 3000, quick: 300 };

export interface ImpairmentsOptions {
  readonly backend: DelayBackendChoice;
  readonly quick: boolean;
  readonly interruption: Interruption;
  readonly say: (text: string) => void;
}

interface Case {
  /** As the topology file has it. */
  readonly link: string;
  /** Whether the delay line alone can do it. */
  readonly isRefusedByNetem?: boolean;
  /** Packets far apart, so that they don't wait for each other. */
  readonly slow?: boolean;
  readonly rows: (arrivals: Arrivals) => Row[];
}

/** `part`: by how much of its value it may be off. */
function row(what: string, unit: Unit, target: number, measured: number, part: number, samples: number): Row {
  const bound = { kind: 'relative', value: part } as const;
  return judge({ what, unit, target, bound }, { measured, spread: null, samples });
}

const lossRow = (model: string, arrivals: Arrivals, part = 0.1): Row => {
  const target = meanLoss(lossModelOf(model));
  return row(`${model}: lost`, 'ratio', target, mean(lostOf(arrivals)), part, arrivals.sent);
};

const CASES: readonly Case[] = [
  {
    link: 'loss_model: bursts 2% of 5 packets',
    rows: (arrivals) => {
      const lengths = burstsOf(lostOf(arrivals));
      return [
        lossRow('bursts 2% of 5 packets', arrivals),
        row('its mean burst, in packets', 'count', 5, mean(lengths), 0.1, lengths.length),
        row(
          'its bursts of more than 5',
          'ratio',
          0.8 ** 5,
          lengths.filter((length) => length > 5).length / lengths.length,
          0.15,
          lengths.length,
        ),
      ];
    },
  },
  {
    link: 'loss_model: correlated 5% 40%',
    rows: (arrivals) => [
      lossRow('correlated 5% 40%', arrivals),
      row('its autocorrelation', 'ratio', 0.4, autocorrelation(lostOf(arrivals)), 0.1, arrivals.sent),
    ],
  },
  {
    link: 'loss_model: gilbert-elliott p=1% r=10% h=30% k=99.5%',
    rows: (arrivals) => [lossRow('gilbert-elliott p=1% r=10% h=30% k=99.5%', arrivals)],
  },
  {
    link: 'loss_model: markov p13=1% p31=30% p32=20% p23=40% p14=0.5%',
    rows: (arrivals) => [lossRow('markov p13=1% p31=30% p32=20% p23=40% p14=0.5%', arrivals)],
  },
  {
    link: 'loss: 5%, loss_model: bursts 2% of 5 packets',
    rows: (arrivals) => [
      row(
        '5% and bursts 2% of 5 packets: lost',
        'ratio',
        1 - 0.95 * 0.98,
        mean(lostOf(arrivals)),
        0.08,
        arrivals.sent,
      ),
    ],
  },
  {
    link: 'loss_model: every 100 packets',
    isRefusedByNetem: true,
    rows: (arrivals) => [lossRow('every 100 packets', arrivals, 1e-3)],
  },
  {
    link: 'duplicate: 2%',
    isRefusedByNetem: true,
    rows: (arrivals) => [row('duplicate 2%: copies', 'ratio', 0.02, copiesOf(arrivals), 0.12, arrivals.sent)],
  },
  {
    link: 'corrupt: 2%',
    rows: (arrivals) => [
      row('corrupt 2%: refused by checksums', 'ratio', 0.02, mean(lostOf(arrivals)), 0.12, arrivals.sent),
    ],
  },
  {
    link: 'reorder: 1%',
    // One that is early makes late all that it overtakes.
    rows: (arrivals) => [
      least('reorder 1%: lost', 'ratio', 0, {
        measured: mean(lostOf(arrivals)),
        spread: null,
        samples: arrivals.sent,
      }),
      row(
        'reorder 1%: not delayed',
        'ratio',
        0.01,
        arrivals.delaysMs.filter((delay) => delay < 10).length / arrivals.numbers.length,
        0.15,
        arrivals.numbers.length,
      ),
    ],
  },
  {
    link: 'reorder: 5%, reorder_distance: 3 packets',
    isRefusedByNetem: true,
    rows: (arrivals) => {
      const extents = extentsOf(arrivals);
      return [
        row(
          'reorder 5% by 3: late',
          'ratio',
          0.05 / 1.15,
          extents.length / arrivals.sent,
          0.1,
          arrivals.sent,
        ),
        row('its mean reordering extent (RFC 4737)', 'count', 3, mean(extents), 0.02, extents.length),
      ];
    },
  },
  {
    link: 'jitter: 3ms, distribution: uniform',
    slow: true,
    rows: ({ delaysMs }) => [
      ksRow('uniform jitter of 3 ms', delaysMs, (value) => value / (2 * HALF_MS) + 0.5),
    ],
  },
];

/** Half of the width of uniform jitter of 3 ms. */
const HALF_MS = 3 * Math.sqrt(3);

/** `cumulative`: of the difference from the median, which has the machine's own lateness as well. */
function ksRow(what: string, delaysMs: readonly number[], cumulative: (value: number) => number): Row {
  const middle = Float64Array.from(delaysMs).sort()[delaysMs.length >> 1]!;
  const differences = delaysMs.map((delay) => delay - middle);
  const measured = distance(differences, (value) => Math.min(1, Math.max(0, cumulative(value))));
  return least(`${what}: Kolmogorov–Smirnov distance`, 'ratio', 0.08, {
    ...{ measured, spread: null, samples: delaysMs.length },
  });
}

export async function measureImpairments(options: ImpairmentsOptions): Promise<Table[]> {
  const tables: Table[] = [];
  for (const backend of chosenBackends(options.backend))
    tables.push(
      await tableOf(backend, options),
      await traces(backend, options),
      await regions(backend, options),
    );
  return tables;
}

async function tableOf(
  backend: DelayBackendName,
  { quick, interruption, say }: ImpairmentsOptions,
): Promise<Table> {
  const cases = CASES.filter(({ isRefusedByNetem }) => backend === 'delay-line' || !isRefusedByNetem);
  const effort = quick ? 'quick' : 'whole';
  const text = `services: { ${cases.map((_, i) => `a${i}: {}, b${i}: {}`).join(', ')} }
links:
${cases.map(({ link }, i) => `  - { from: a${i}, to: b${i}, latency: 20ms, up: { ${link} } }`).join('\n')}
`;
  const rows = await withLab(text, backend, interruption, async ({ place }) => {
    const all: Row[] = [];
    for (const [pair, { link, slow, rows: judged }] of cases.entries()) {
      say(`${backend}: ${link}`);
      const flow = { from: place(`a${pair}`), to: place(`b${pair}`) };
      const [perSecond, packets] = slow ? [SLOW.perSecond, SLOW[effort]] : [PER_SECOND, PACKETS[effort]];
      const measure = async (): Promise<Row[]> => judged(await sendNumbered(flow, { perSecond, packets }));
      const first = await measure();
      // A machine that paused has spoiled only one measurement.
      const isDone = first.every(({ verdict }) => verdict !== 'outside');
      all.push(...(isDone ? first : (await measure()).map((one) => ({ ...one, tries: 2 }))));
    }
    return all;
  });
  return {
    ...{ id: 'impairments', title: 'models of loss, copies, corruption, order', backend },
    source: 'docs/impairments.md; RFC 4737 for extents',
    method: `${PER_SECOND} numbered UDP packets a second of 64 bytes over paths of 20 ms, beside what the model says`,
    sampled: 'packets, or bursts',
    rows,
  };
}
