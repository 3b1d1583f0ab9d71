/** The work of the delay line, by its own account, as rows. Pure. */
import type { AgentStatus } from '../../../proto/status.ts';
import { fromMillis, millisToSeconds, secondsToMillis } from '../../../proto/units.ts';
import { reported } from '../../report/judge.ts';
import type { Row, Table } from '../../report/model.ts';
import { sum } from '../statistics.ts';

type Counted = NonNullable<AgentStatus['delay']['work']>;

/** Of all agents together. */
export interface DelayWork extends Counted {
  readonly packets: number;
  readonly seconds: number;
}

/** `undefined` where netem delays. */
export function delayWork(
  before: readonly AgentStatus[],
  after: readonly AgentStatus[],
  seconds: number,
): DelayWork | undefined {
  if (after.some(({ delay }) => delay.work === undefined)) return undefined;
  const grown = (of: (delay: AgentStatus['delay']) => number): number =>
    sum(after.map(({ delay }) => of(delay))) - sum(before.map(({ delay }) => of(delay)));
  return {
    packets: grown(({ packets }) => packets),
    turns: grown(({ work }) => work!.turns),
    receiveMs: grown(({ work }) => work!.receiveMs),
    passMs: grown(({ work }) => work!.passMs),
    released: grown(({ work }) => work!.released),
    lateMs: grown(({ work }) => work!.lateMs),
    lateMs2: grown(({ work }) => work!.lateMs2),
    seconds,
  };
}

export interface WorkedRun {
  readonly what: string;
  readonly work: DelayWork | undefined;
  /** Processor time of the threads, in cores; NaN where not known. */
  readonly threadCores: number;
}

/** Empty where netem delays. */
export function delayWorkTables(bench: string, runs: readonly WorkedRun[]): Table[] {
  const rows = runs.flatMap(({ what, work, threadCores }) => (work ? workRows(what, work, threadCores) : []));
  if (rows.length === 0) return [];
  return [
    {
      id: `${bench}-delay-line`,
      title: 'where the delay line’s time goes',
      source: 'no table of the literature',
      method:
        'By the account of the delay line’s threads, all agents together. Releasing packets: before the call returns, the kernel delivers the packet to its receiver’s socket, and carries the resulting acknowledgement or answer to the place where it is held again. Without netfold, this time is accounted to the sender or to no process. Receiving packets: system calls, and finding the path of each. The rest is sleeping and waking.',
      sampled: 'packets',
      rows,
    },
  ];
}

function workRows(what: string, work: DelayWork, threadCores: number): Row[] {
  const { packets, turns, receiveMs, passMs, released, lateMs, lateMs2, seconds } = work;
  const row = (name: string, unit: Row['unit'], measured: number, note = ''): Row =>
    reported(`${what}: ${name}`, unit, { measured, spread: null, samples: packets, note });
  const cores = (ms: number): number => millisToSeconds(ms) / seconds;
  const each = (ms: number): string => `${(fromMillis(ms) / packets).toFixed(1)} µs a packet`;
  const restMs = secondsToMillis(threadCores * seconds) - receiveMs - passMs;
  const rest = row('sleeping, waking, and the rest', 'cores', cores(restMs), each(restMs));
  return [
    row('packets', '1/s', packets / seconds),
    row(
      'looks at what there is to do',
      '1/s',
      turns / seconds,
      `${(packets / turns).toFixed(1)} packets each`,
    ),
    row('giving packets back', 'cores', cores(passMs), each(passMs)),
    row('taking packets', 'cores', cores(receiveMs), each(receiveMs)),
    ...(Number.isFinite(restMs) ? [rest] : []),
    row('released later than due', 'ms', lateMs / released),
    row('the same, mean square', 'ms²', lateMs2 / released),
  ];
}
