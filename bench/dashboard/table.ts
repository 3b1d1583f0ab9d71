/** What was measured of the dashboard → its tables. Pure. */
import { millisToSeconds } from '../../proto/units.ts';
import { growth } from '../measure/growth.ts';
import { median, range } from '../measure/statistics.ts';
import { judge, least, reported } from '../report/judge.ts';
import type { Row, Table } from '../report/model.ts';
import type { Heard } from './browser.ts';
import type { NetworkSize } from './network.ts';
import type { Sample } from './watch.ts';

/** Issue 16. */
const PICTURE_SECONDS = 2;
const UPDATES_PER_SECOND = 5;
const BROWSER_CORES = 0.5;
const SERVER_CORES = 0.05;
/** Looks begin a fifth of a second apart, by timers that are late, and the later the busier the machine is. */
const FEWER_UPDATES = 0.1;
/** Over the whole time. Garbage waits in both until it is collected: a line through it moves by megabytes. */
const GROWTH_MB = 16;

export interface Facts {
  /** In seconds: of the server's first reader, and of later ones. */
  readonly firstPicture: number;
  readonly pictures: readonly number[];
  /** After the warm-up. */
  readonly samples: readonly Sample[];
  /** The same, of the page. */
  readonly heard: readonly Heard[];
  readonly complaints: readonly string[];
}

export function tablesOf(facts: Facts, { nodes, flows, hosts }: NetworkSize): Table[] {
  const { firstPicture, pictures, samples, heard, complaints } = facts;
  const picture = (what: string, seconds: readonly number[]): Row =>
    least(what, 's', PICTURE_SECONDS, {
      ...{ measured: median(seconds), spread: range(seconds), samples: seconds.length },
    });
  const network = `${nodes.toLocaleString('en')} nodes, ${flows} flows`;
  return [
    {
      id: 'pictures',
      title: `first picture: ${network}`,
      source: 'issue 16: the first picture within 2 s',
      method: `\`netfold serve\`, and agents of ${hosts} hosts whose answers are played. From the request for the page in Chromium without a window until the matrix of all flows is drawn. Later readers come when no page is open.`,
      sampled: 'pages',
      rows: [
        picture('of the first reader of a server', [firstPicture]),
        picture('of later readers', pictures),
      ],
    },
    {
      id: 'open',
      title: `an open page: ${network}`,
      source: `issue 16: ${UPDATES_PER_SECOND} updates a second at under half a core in the browser and 5 % of a core in the server, memory of both flat over 10 minutes`,
      method:
        'Every rate changes in every tick of the agents. Processor time is that of all processes of the browser, and of the server, by /proc/PID/stat, as a part of one core. No debugger is connected meanwhile; the page counts its updates. Memory of the browser: proportional set size of all its processes; of the server: resident. Growth: by the median of the slopes between any two of the values every 5 s, over the whole time.',
      sampled: 'values, or slices of 5 s',
      rows: [
        updatesRow(heard),
        coresRow('the browser', BROWSER_CORES, samples, ({ browserSeconds }) => browserSeconds),
        coresRow('the server', SERVER_CORES, samples, ({ serverSeconds }) => serverSeconds),
        growthRow('the browser', samples, ({ browserBytes }) => browserBytes),
        growthRow('the server', samples, ({ serverBytes }) => serverBytes),
        least('complaints of the page', 'count', 0, {
          ...{ measured: complaints.length, spread: null, samples: pictures.length + 1 },
          note: complaints[0]?.slice(0, 120) ?? '',
        }),
        reported(
          'text of updates',
          'B/s',
          pace(heard, ({ updateBytes }) => updateBytes),
        ),
        reported(
          'the bench, with the played agents',
          'cores',
          pace(samples, ({ benchSeconds }) => benchSeconds),
        ),
      ],
    },
  ];
}

function updatesRow(heard: readonly Heard[]): Row {
  const bound = { kind: 'relative', value: FEWER_UPDATES, bad: 'below' } as const;
  return judge(
    { what: 'updates of all flows', unit: '1/s', target: UPDATES_PER_SECOND, bound },
    pace(heard, ({ updates }) => updates),
  );
}

function coresRow(
  what: string,
  most: number,
  samples: readonly Sample[],
  of: (sample: Sample) => number,
): Row {
  return least(`${what}: processor time`, 'cores', most, pace(samples, of));
}

function growthRow(what: string, samples: readonly Sample[], of: (sample: Sample) => number): Row {
  const memory = samples.map((sample) => ({ atMs: sample.atMs, value: of(sample) / 1e6 }));
  const sizes = memory.map(({ value }) => value);
  return least(`${what}: growth of memory`, 'MB', GROWTH_MB, {
    ...{ measured: growth(memory), spread: range(sizes), samples: sizes.length },
    note: `${median(sizes).toFixed(0)} MB`,
  });
}

/** By the second, of what counts up: over the whole time, with the range of slices. */
function pace<S extends { readonly atMs: number }>(samples: readonly S[], of: (sample: S) => number) {
  const between = (before: S, after: S): number =>
    (of(after) - of(before)) / millisToSeconds(after.atMs - before.atMs);
  const slices = samples.slice(1).map((after, index) => between(samples[index]!, after));
  const measured = slices.length === 0 ? Number.NaN : between(samples[0]!, samples.at(-1)!);
  return { measured, spread: slices.length === 0 ? null : range(slices), samples: slices.length };
}
