/** What a soak has measured → its table. Pure. */
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import { growth } from '../measure/growth.ts';
import { median, quantile, range } from '../measure/statistics.ts';
import { judge, least, reported } from '../report/judge.ts';
import type { Row, Table } from '../report/model.ts';
import { HOSTS } from './plan.ts';
import type { Sample } from './watched.ts';

export interface Facts {
  readonly given: number;
  /** For how long commands were given. */
  readonly seconds: number;
  readonly refusals: readonly string[];
  /** From the question until the agent has accepted. */
  readonly answersMs: readonly number[];
  /** Of each host, from the instant of a command until it is in force. */
  readonly lateness: readonly (readonly number[])[];
  /** Of each host, after the start. */
  readonly samples: readonly (readonly Sample[])[];
  readonly files: readonly {
    readonly atMs: number;
    readonly journalBytes: number;
    readonly logBytes: number;
  }[];
  /** Further states of the set of commands than one. */
  readonly disagreeing: number;
  /** Commands that an agent has at the end. */
  readonly kept: number;
}

const BOUND_MS = 100;
/** Commands a second: those that wait for one that takes long follow without a pause. */
const PACE = 5;
const LESS = 0.01;
/** Over the rest of the run, whatever its length: what grows by less in an hour lasts for weeks. */
const GROWTH_MB = 16;
const MORE_DESCRIPTORS = 4;
/** As many lines as a journal may have, of some 600 bytes, on each host. */
const JOURNALS_MB = HOSTS * 7;
/** A line for each command; logs of agents are bounded at some ten times that. */
const LOGS_MB_AN_HOUR = 60;

export function tableOf(
  facts: Facts,
  { minutes, seed }: { readonly minutes: number; readonly seed: number },
  backend: DelayBackendName,
): Table {
  const { given, seconds, refusals, answersMs, lateness, samples, files, disagreeing, kept } = facts;
  return {
    id: 'soak',
    title: `${minutes} minutes of live control at five commands a second, seed ${seed}`,
    backend,
    source:
      'issue 20: no refusal, memory and descriptors flat after ten minutes, 99 % of commands within 100 ms',
    method: `Settings, flaps, crashes, leaves, joins, cuts, partitions and heals on ${HOSTS} hosts with ten endpoints, given to one agent after the other, each when its time has come. Accepted: from the question until the agent has placed it, the user has signed it, and the agent has checked and taken it. In force: from the command’s instant, 100 ms later, until the kernel has it with delays and all, by the agents’ records; one that an agent hears of later counts as in force when it has come. Growth: by the median of the slopes between any two of the values after ten minutes (in a shorter run, after a third of it), over the rest of the run.`,
    sampled: 'commands, or values',
    rows: [
      least('commands refused', 'count', 0, {
        ...{ measured: refusals.length, spread: null, samples: given },
        note: refusals[0]?.slice(0, 120) ?? '',
      }),
      judge(
        {
          what: 'commands',
          unit: '1/s',
          target: PACE,
          bound: { kind: 'relative', value: LESS, bad: 'below' },
        },
        { measured: given / seconds, spread: null, samples: given },
      ),
      timeRow('accepted, 99 %', answersMs),
      ...lateness.map((times, host) => timeRow(`host${host}: in force, 99 %`, times)),
      ...samples.flatMap((all, host) => ofAgent(`host${host}`, all)),
      sizeRow(
        'journals of commands, most',
        files.map(({ journalBytes }) => journalBytes),
        JOURNALS_MB,
      ),
      logRow(files),
      least('hosts with other commands at the end', 'count', 0, {
        ...{ measured: disagreeing, spread: null, samples: HOSTS, note: '' },
      }),
      reported('commands kept at the end', 'count', { measured: kept, spread: null, samples: given }),
    ],
  };
}

function timeRow(what: string, times: readonly number[]): Row {
  const measured = quantile(times, 0.99);
  const note = `median ${median(times).toFixed(1)} ms`;
  return least(what, 'ms', BOUND_MS, { measured, spread: range(times), samples: times.length, note });
}

function ofAgent(host: string, samples: readonly Sample[]): Row[] {
  const memory = samples.map(({ atMs, rssBytes }) => ({ atMs, value: rssBytes / 1e6 }));
  const open = samples.map(({ descriptors }) => descriptors);
  const of = (values: readonly number[]) => ({ spread: range(values), samples: values.length });
  return [
    least(`${host}: growth of memory`, 'MB', GROWTH_MB, {
      ...of(memory.map(({ value }) => value)),
      measured: growth(memory),
      note: `${median(memory.map(({ value }) => value)).toFixed(0)} MB`,
    }),
    least(`${host}: growth of descriptors`, 'count', MORE_DESCRIPTORS, {
      ...of(open),
      measured: growth(samples.map(({ atMs, descriptors }) => ({ atMs, value: descriptors }))),
      note: `${median(open)} open`,
    }),
  ];
}

function sizeRow(what: string, bytes: readonly number[], most: number): Row {
  const megabytes = bytes.map((value) => value / 1e6);
  const facts = { measured: Math.max(...megabytes), spread: range(megabytes), samples: bytes.length };
  return least(what, 'MB', most, facts);
}

/** By the hour. */
function logRow(files: Facts['files']): Row {
  const grown = growth(files.map(({ atMs, logBytes }) => ({ atMs, value: logBytes / 1e6 })));
  const hours = ((files.at(-1)?.atMs ?? 0) - (files[0]?.atMs ?? 0)) / 3_600_000;
  const sizes = files.map(({ logBytes }) => logBytes / 1e6);
  const facts = { measured: grown / hours, spread: range(sizes), samples: files.length };
  return least('logs of all hosts, in an hour', 'MB', LOGS_MB_AN_HOUR, facts);
}
