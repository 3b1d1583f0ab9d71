/** The lab with netfold compared with the one without, as tables. Pure. */
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import { median, range } from '../measure/statistics.ts';
import { judge, least, reported } from '../report/judge.ts';
import type { Table } from '../report/model.ts';

/** The bounds of netfold's overhead. */
const LEAST_RATIO = 0.98;
const MOST_ADDED_MS = 0.02;

/** The values of one round. */
export interface Pair {
  readonly netfold: number;
  readonly bare: number;
}

export interface Overheads {
  /** bit/s of payload. */
  readonly rates: readonly Pair[];
  /** Milliseconds: medians of round trips. */
  readonly delays: readonly Pair[];
  readonly effort: {
    readonly tcp: { readonly seconds: number };
    readonly pings: { readonly count: number; readonly intervalMs: number };
  };
  readonly backend: DelayBackendName;
}

export function tablesOf({ rates, delays, effort, backend }: Overheads): Table[] {
  const common = { backend, source: 'no table of the literature', sampled: 'rounds' };
  return [
    {
      ...common,
      id: 'overhead-throughput',
      title: 'TCP through a path of 4 Gb/s',
      method: `One cubic connection, ${effort.tcp.seconds} s in turns: through netfold’s path, and through the same lab without netfold, where an HTB class of the same rate is set by hand. The ratio is that of each round; its median counts.`,
      rows: [
        judge(
          {
            what: 'netfold by HTB set by hand',
            unit: 'ratio',
            target: 1,
            bound: { kind: 'absolute', value: 1 - LEAST_RATIO, bad: 'below' },
          },
          of(rates.map(({ netfold, bare }) => netfold / bare)),
        ),
        reported('netfold', 'bit/s', of(rates.map(({ netfold }) => netfold))),
        reported('HTB set by hand', 'bit/s', of(rates.map(({ bare }) => bare))),
      ],
    },
    {
      ...common,
      id: 'overhead-latency',
      title: 'a path that neither delays nor limits',
      method: `${effort.pings.count} pings every ${effort.pings.intervalMs} ms in turns: over netfold’s path, and in the same lab without netfold. Differences of the medians of each round; their median counts.`,
      rows: [
        least(
          'added to a round trip',
          'ms',
          MOST_ADDED_MS,
          of(delays.map(({ netfold, bare }) => netfold - bare)),
        ),
        reported('netfold', 'ms', of(delays.map(({ netfold }) => netfold))),
        reported('without netfold', 'ms', of(delays.map(({ bare }) => bare))),
      ],
    },
  ];
}

function of(values: readonly number[]) {
  return { measured: median(values), spread: range(values), samples: values.length };
}
