/** The impairments bench: what each model does to numbered packets, beside its theory, for each delay backend of the machine. */
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import type { Flow } from '../../controller/verify/traffic.ts';
import type { DelayBackendChoice } from '../../proto/bootstrap.ts';
import { lossModelOf, meanLoss } from '../../proto/models.ts';
import { type Interruption, type Lab, withLab } from '../lab.ts';
import { chosenBackends } from '../measure/backend.ts';
import { withBareLab } from '../measure/bare-lab.ts';
import { netemByHand } from '../measure/plain-tc.ts';
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

/** A sender in JavaScript keeps the first on one core, and either backend without a growing queue; an emulated machine keeps a later one. */
const PACES = [8000, 4000, 2000, 1000, 500];
/** Nothing is lost for so long at a pace that is kept. */
const PACE_SECONDS = 4;
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
  /** What comes nearest to it in the words of tc-netem(8), after `delay 20ms`. */
  readonly byHand?: string;
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

/** Half of the width of uniform jitter of 3 ms. */
const HALF_MS = 3 * Math.sqrt(3);

const CASES: readonly Case[] = [
  {
    link: 'loss_model: bursts 2% of 5 packets',
    byHand: 'loss gemodel 0.40816% 20%',
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
    byHand: 'loss 5% 40%',
    rows: (arrivals) => [
      lossRow('correlated 5% 40%', arrivals),
      row('its autocorrelation', 'ratio', 0.4, autocorrelation(lostOf(arrivals)), 0.1, arrivals.sent),
    ],
  },
  {
    link: 'loss_model: gilbert-elliott p=1% r=10% h=30% k=99.5%',
    byHand: 'loss gemodel 1% 10% 70% 0.5%',
    rows: (arrivals) => [lossRow('gilbert-elliott p=1% r=10% h=30% k=99.5%', arrivals)],
  },
  {
    link: 'loss_model: markov p13=1% p31=30% p32=20% p23=40% p14=0.5%',
    byHand: 'loss state 1% 30% 20% 40% 0.5%',
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
    byHand: 'duplicate 2%',
    isRefusedByNetem: true,
    rows: (arrivals) => [row('duplicate 2%: copies', 'ratio', 0.02, copiesOf(arrivals), 0.12, arrivals.sent)],
  },
  {
    link: 'corrupt: 2%',
    byHand: 'corrupt 2%',
    rows: (arrivals) => [
      row('corrupt 2%: refused by checksums', 'ratio', 0.02, mean(lostOf(arrivals)), 0.12, arrivals.sent),
    ],
  },
  {
    link: 'reorder: 1%',
    byHand: 'reorder 1%',
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
    byHand: `${HALF_MS}ms`,
    slow: true,
    rows: ({ delaysMs }) => [
      ksRow('uniform jitter of 3 ms', delaysMs, (value) => value / (2 * HALF_MS) + 0.5),
    ],
  },
];

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
      ...(backend === 'netem' ? [await handTable(options)] : []),
      await traces(backend, options),
      await regions(backend, options),
    );
  return tables;
}

const FACTS = {
  source: 'docs/impairments.md; RFC 4737 for extents',
  sampled: 'packets, or bursts',
};
const methodOf = (perSecond: number): string =>
  `${perSecond} numbered UDP packets a second of 64 bytes over paths of 20 ms, beside what the model says`;

async function tableOf(backend: DelayBackendName, options: ImpairmentsOptions): Promise<Table> {
  const cases = CASES.filter(({ isRefusedByNetem }) => backend === 'delay-line' || !isRefusedByNetem);
  const links = [...cases.map(({ link }) => `latency: 20ms, up: { ${link} }`), 'latency: 20ms'];
  return withLab(pairs(links), backend, options.interruption, async (lab) => {
    const perSecond = await paceOf(flowOf(lab, cases.length));
    options.say(`${backend}: ${perSecond} packets a second`);
    const rows: Row[] = [];
    for (const [pair, one] of cases.entries()) {
      options.say(`${backend}: ${one.link}`);
      const measure = (): Promise<Row[]> => measureCase(one, flowOf(lab, pair), perSecond, options);
      const first = await measure();
      // A machine that paused has spoiled only one measurement.
      const isDone = first.every(({ verdict }) => verdict !== 'outside');
      rows.push(...(isDone ? first : (await measure()).map((row) => ({ ...row, tries: 2 }))));
    }
    const title = 'models of loss, copies, corruption, order';
    return { ...FACTS, id: 'impairments', title, backend, method: methodOf(perSecond), rows };
  });
}

/** The kernel's results without netfold. */
async function handTable(options: ImpairmentsOptions): Promise<Table> {
  const cases = CASES.filter(({ byHand }) => byHand !== undefined);
  const names = ['a', 'b'].flatMap((side) => [`${side}.0`, ...cases.map((_, pair) => `${side}.${pair + 1}`)]);
  return withBareLab(names, options.interruption, async (places) => {
    const [first, ...flows] = places.slice(0, cases.length + 1).map((from, at): Flow => {
      return { from, to: places[cases.length + 1 + at]! };
    });
    await netemByHand(first!.from, 'delay 20ms');
    const perSecond = await paceOf(first!);
    const rows: Row[] = [];
    for (const [pair, one] of cases.entries()) {
      options.say(`netem by hand: ${one.byHand}`);
      const flow = flows[pair]!;
      await netemByHand(flow.from, `delay 20ms ${one.byHand}`);
      const measured = await measureCase(one, flow, perSecond, options);
      rows.push(...measured.map((row): Row => ({ ...row, bound: null, verdict: 'told', note: one.byHand! })));
    }
    const title = 'the same by netem that is set by hand, for comparison';
    const method = `${methodOf(perSecond)}; the sender’s interface has \`tc qdisc … netem delay 20ms\` with the words of the note and nothing of netfold`;
    return { ...FACTS, id: 'impairments-by-hand', title, backend: 'netem', method, rows };
  });
}

/** Services a0 and b0, a1 and b1, …, with a link between each two. */
const pairs = (
  links: readonly string[],
): string => `services: { ${links.map((_, i) => `a${i}: {}, b${i}: {}`).join(', ')} }
links:
${links.map((link, i) => `  - { from: a${i}, to: b${i}, ${link} }`).join('\n')}
`;

const flowOf = ({ place }: Lab, pair: number): Flow => ({ from: place(`a${pair}`), to: place(`b${pair}`) });

/** The first that nothing is lost at; the last where there is none. */
async function paceOf(flow: Flow): Promise<number> {
  for (const perSecond of PACES) {
    const arrivals = await sendNumbered(flow, { perSecond, packets: PACE_SECONDS * perSecond });
    if (mean(lostOf(arrivals)) === 0) return perSecond;
  }
  return PACES.at(-1)!;
}

async function measureCase(
  { slow, rows }: Case,
  flow: Flow,
  pace: number,
  { quick }: ImpairmentsOptions,
): Promise<Row[]> {
  const effort = quick ? 'quick' : 'whole';
  const [perSecond, packets] = slow ? [SLOW.perSecond, SLOW[effort]] : [pace, PACKETS[effort]];
  return rows(await sendNumbered(flow, { perSecond, packets }));
}
