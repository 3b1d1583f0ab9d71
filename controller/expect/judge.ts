/** Whether a run has satisfied an expectation, and what was seen instead. Pure. */
import {
  type Bps,
  formatMicros,
  formatRate,
  formatRatio,
  fromMillis,
  type Micros,
  megabytes,
  millisToSeconds,
  ratio,
  toMillis,
} from '../../proto/units.ts';
import type {
  Comparison,
  ExitExpectation,
  Expectation,
  LogExpectation,
  MeasureExpectation,
  ReachExpectation,
  Statistic,
  When,
} from '../../topology/model/expectations.ts';
import { endpointName, type NodeReference } from '../../topology/model/names.ts';
import type { Evidence, Probe } from './evidence.ts';

export interface Judgement {
  readonly expectation: Expectation;
  /** `inconclusive`: the run can't say, or was not faithful, so the application is not blamed. */
  readonly outcome: 'holds' | 'fails' | 'inconclusive';
  /** What was seen, in words. */
  readonly seen: string;
  /** When it broke; null: it is a matter of the whole window. */
  readonly atMs: number | null;
}

type Finding = Pick<Judgement, 'outcome' | 'seen'> & { readonly atMs?: number | null };

/** What fails in a run that was not faithful is inconclusive; what holds, holds. */
export function judge(expectation: Expectation, evidence: Evidence): Judgement {
  const { atMs = null, ...found } = findingOf(expectation, evidence);
  const doubt = evidence.doubts[0];
  if (found.outcome !== 'fails' || doubt === undefined) return { expectation, ...found, atMs };
  return {
    expectation,
    outcome: 'inconclusive',
    seen: `${found.seen}; but the run was not faithful: ${doubt}`,
    atMs,
  };
}

function findingOf(expectation: Expectation, evidence: Evidence): Finding {
  switch (expectation.what) {
    case 'rtt':
    case 'loss':
      return ofProbes(expectation, evidence);
    case 'rate':
    case 'bytes':
      return ofRates(expectation, evidence);
    case 'reach':
      return ofReach(expectation, evidence);
    case 'exit':
      return ofExit(expectation, evidence);
    case 'log':
      return ofLog(expectation, evidence);
    case 'verdict': {
      const [doubt] = evidence.doubts;
      return doubt === undefined
        ? { outcome: 'holds', seen: 'faithful' }
        : inconclusive(`not faithful: ${doubt}`);
    }
  }
}

/** The endpoint's name, as everywhere: numbered. */
export const endpointOf = ({ name, replica = 0 }: NodeReference): string => endpointName(name, replica);

interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

function windowOf(when: When, { endedMs }: Evidence): Window {
  if (when.kind === 'window') return { fromMs: toMillis(when.from), toMs: toMillis(when.to) };
  if (when.kind === 'by') return { fromMs: 0, toMs: toMillis(when.by) };
  return { fromMs: 0, toMs: endedMs };
}

const inconclusive = (seen: string): Finding => ({ outcome: 'inconclusive', seen });

/** The run ended before the window did. */
const tooShort = ({ toMs }: Window, { endedMs }: Evidence): Finding | undefined =>
  toMs > endedMs ? inconclusive(`the run ended at ${instant(endedMs)}`) : undefined;

function ofProbes(expectation: MeasureExpectation, evidence: Evidence): Finding {
  const { what, from, to, statistic, when } = expectation;
  const window = windowOf(when, evidence);
  const short = tooShort(window, evidence);
  if (short) return short;
  const sent = evidence.probes(endpointOf(from), endpointOf(to)).filter(({ sentMs }) => isIn(sentMs, window));
  if (sent.length === 0) return inconclusive('no echo request was sent in this time');
  const times = answers(sent);
  if (what === 'loss') {
    const lost = (sent.length - times.length) / sent.length;
    return compared(expectation, lost, `${formatRatio(ratio(lost))} of ${sent.length}`);
  }
  if (times.length === 0)
    return { outcome: 'fails', seen: `none of ${sent.length} was answered`, atMs: sent[0]!.sentMs };
  const value = fromMillis(statisticOf(times, statistic));
  return compared(expectation, value, `${formatMicros(value)} (${times.length} of ${sent.length} answered)`);
}

const answers = (probes: readonly Probe[]): number[] =>
  probes.flatMap(({ roundTripMs }) => (roundTripMs === null ? [] : [roundTripMs]));

function ofRates(expectation: MeasureExpectation, evidence: Evidence): Finding {
  const { what, from, to, statistic, when } = expectation;
  const window = windowOf(when, evidence);
  const short = tooShort(window, evidence);
  if (short) return short;
  const samples = evidence.rates(endpointOf(from), endpointOf(to)).filter(({ tMs }) => isIn(tMs, window));
  const rates = samples.map(({ rateBps }) => rateBps);
  if (rates.length === 0) return inconclusive('nothing was recorded in this time');
  if (what === 'rate') {
    const value = statisticOf(rates, statistic);
    return compared(expectation, value, `${formatRate(value)} in ${rates.length} s`);
  }
  const bytes = bytesIn(statisticOf(rates, { kind: 'mean' }), window);
  return compared(expectation, bytes, `${megabytes(bytes).toPrecision(4)} MB`);
}

const BITS = 8;
const bytesIn = (rateBps: number, { fromMs, toMs }: Window): number =>
  (rateBps * millisToSeconds(toMs - fromMs)) / BITS;

function compared({ comparison, value: bound }: MeasureExpectation, value: number, seen: string): Finding {
  return { outcome: COMPARE[comparison](value, bound as Bps | Micros | number) ? 'holds' : 'fails', seen };
}

const COMPARE: Readonly<Record<Comparison, (a: number, b: number) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '=': (a, b) => a === b,
};

/** Percentiles between the two nearest ranks, as Hyndman and Fan's type 7. */
export function statisticOf(values: readonly number[], statistic: Statistic): number {
  const sorted = Float64Array.from(values).sort();
  if (statistic.kind === 'least') return sorted[0]!;
  if (statistic.kind === 'greatest') return sorted.at(-1)!;
  if (statistic.kind !== 'percentile') return sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  const rank = statistic.part * (sorted.length - 1);
  const below = sorted[Math.floor(rank)]!;
  return below + (sorted[Math.ceil(rank)]! - below) * (rank - Math.floor(rank));
}

function ofReach({ from, to, isReached, when }: ReachExpectation, evidence: Evidence): Finding {
  const probes = evidence.probes(endpointOf(from), endpointOf(to));
  if (when.kind === 'within') return reachedAfter(when, probes, evidence);
  const window = windowOf(when, evidence);
  const short = tooShort(window, evidence);
  if (short) return short;
  const inside = probes.filter(({ sentMs }) => isIn(sentMs, window));
  if (inside.length === 0) return inconclusive('no echo request was sent in this time');
  const answered = inside.find(({ roundTripMs }) => roundTripMs !== null);
  if (!isReached)
    return answered
      ? { outcome: 'fails', seen: `reached at ${instant(answered.sentMs)}`, atMs: answered.sentMs }
      : { outcome: 'holds', seen: `none of ${inside.length} was answered` };
  if (when.kind === 'by')
    return answered
      ? { outcome: 'holds', seen: `first at ${instant(answered.sentMs)}` }
      : { outcome: 'fails', seen: `none of ${inside.length} was answered`, atMs: window.toMs };
  const gap = longestSilence(inside);
  return gap.ms < SILENCE_MS
    ? { outcome: 'holds', seen: 'all the time' }
    : {
        outcome: 'fails',
        seen: `not for ${instant(gap.ms)} from ${instant(gap.fromMs)} on`,
        atMs: gap.fromMs,
      };
}

/** Loss of a link is no outage: that nothing at all passes for so long is one. */
const SILENCE_MS = 1000;

function longestSilence(probes: readonly Probe[]): { ms: number; fromMs: number } {
  let longest = { ms: 0, fromMs: 0 };
  let since: number | undefined;
  for (const { sentMs, roundTripMs } of probes) {
    if (roundTripMs !== null) since = undefined;
    else {
      since ??= sentMs;
      if (sentMs - since > longest.ms) longest = { ms: sentMs - since, fromMs: since };
    }
  }
  return longest;
}

function reachedAfter(
  { within, after }: Extract<When, { kind: 'within' }>,
  probes: readonly Probe[],
  evidence: Evidence,
): Finding {
  const { endedMs, events } = evidence;
  const event = 'event' in after ? events.find(({ text }) => text.includes(after.event)) : undefined;
  if ('event' in after && !event) return inconclusive(`there was no event with "${after.event}"`);
  const startMs = event ? event.dueMs : toMillis((after as { at: Micros }).at);
  const limitMs = startMs + toMillis(within);
  const first = probes.find(({ sentMs, roundTripMs }) => sentMs >= startMs && roundTripMs !== null);
  if (first && first.sentMs <= limitMs)
    return { outcome: 'holds', seen: `after ${instant(first.sentMs - startMs)}` };
  if (limitMs > endedMs) return inconclusive(`the run ended at ${instant(endedMs)}`);
  const seen = first ? `after ${instant(first.sentMs - startMs)}` : 'not until the end';
  return { outcome: 'fails', seen, atMs: limitMs };
}

function ofExit({ node, code, when }: ExitExpectation, evidence: Evidence): Finding {
  const exit = evidence.exit(endpointOf(node));
  const { toMs } = windowOf(when, evidence);
  if (!exit) {
    if (when.kind === 'by' && toMs > evidence.endedMs)
      return inconclusive(`the run ended at ${instant(evidence.endedMs)}`);
    return { outcome: 'fails', seen: `its command runs at ${instant(toMs)}`, atMs: toMs };
  }
  const seen = `${exit.how} at ${instant(exit.tMs)}`;
  if (exit.how !== `exited with ${code}` || (when.kind === 'by' && exit.tMs > toMs))
    return { outcome: 'fails', seen, atMs: exit.tMs };
  return { outcome: 'holds', seen };
}

function ofLog({ node, text, contains, when, before }: LogExpectation, evidence: Evidence): Finding {
  const times = evidence.logged(endpointOf(node), text);
  if (before) {
    const first = times[0];
    const other = evidence.logged(endpointOf(before.node), before.text)[0];
    if (first === undefined) return { outcome: 'fails', seen: `"${text}" was not written` };
    if (other === undefined || first < other) return { outcome: 'holds', seen: `at ${instant(first)}` };
    const seen = `at ${instant(first)}, and the other one at ${instant(other)}`;
    return { outcome: first === other ? 'inconclusive' : 'fails', seen, atMs: other };
  }
  const window = windowOf(when, evidence);
  const found = times.find((tMs) => isIn(tMs, window));
  if (found === undefined) {
    const short = tooShort(window, evidence);
    if (short) return short;
    return contains
      ? { outcome: 'fails', seen: 'it was not written', atMs: window.toMs }
      : { outcome: 'holds', seen: 'it was not written' };
  }
  return contains
    ? { outcome: 'holds', seen: `at ${instant(found)}` }
    : { outcome: 'fails', seen: `at ${instant(found)}`, atMs: found };
}

const isIn = (tMs: number, { fromMs, toMs }: Window): boolean => tMs >= fromMs && tMs <= toMs;

const instant = (ms: number): string => formatMicros(fromMillis(Math.round(ms)));
