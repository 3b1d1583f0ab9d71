/** Statistics of what was measured: of a whole time, or of each stretch of it. Pure. */
import {
  bytesOf,
  formatMicros,
  formatRate,
  formatRatio,
  fromMillis,
  megabytes,
  millisToSeconds,
  ratio,
  toMillis,
} from '../../proto/units.ts';
import type { Comparison, MeasureExpectation, Statistic } from '../model/expectations.ts';
import type { Evidence, Probe } from './evidence.ts';
import {
  endpointOf,
  type Finding,
  instant,
  isIn,
  requireTime,
  type Scope,
  scopeOf,
  Unjudged,
  type Window,
} from './scope.ts';

/** A statistic of a time. */
interface Reading {
  /** NaN: it was to be measured, and nothing came back; no comparison holds for that. */
  readonly value: number;
  readonly seen: string;
  readonly atMs?: number;
}

/** Stretches begin this often; echo requests are as often as this at most. */
const STEP_MS = 200;

export function ofMeasure(expectation: MeasureExpectation, evidence: Evidence): Finding {
  const scope = scopeOf(expectation.when, evidence);
  const read = readerOf(expectation, evidence);
  const { over } = expectation;
  if (over !== undefined) {
    const stretches = new Stretches(expectation, read, scope, toMillis(over));
    return scope.how === 'all' ? stretches.all(evidence) : stretches.once(evidence);
  }
  requireTime(scope, evidence);
  const { value, ...found } = read(scope);
  const outcome = holds(expectation, value) ? 'holds' : 'fails';
  return { outcome, ...found, ...(Number.isFinite(value) && { value }) };
}

const holds = ({ comparison, value: bound }: MeasureExpectation, value: number): boolean =>
  COMPARE[comparison](value, bound);

export const COMPARE: Readonly<Record<Comparison, (a: number, b: number) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '=': (a, b) => a === b,
};

class Stretches {
  readonly #expectation: MeasureExpectation;
  readonly #read: (window: Window) => Reading;
  readonly #scope: Scope;
  readonly #overMs: number;

  constructor(
    expectation: MeasureExpectation,
    read: (window: Window) => Reading,
    scope: Scope,
    overMs: number,
  ) {
    this.#expectation = expectation;
    this.#read = read;
    this.#scope = scope;
    this.#overMs = overMs;
  }

  /** The first that breaks it decides, also in a run that ended too early. */
  all(evidence: Evidence): Finding {
    const readings = this.#readings(evidence, (value) => !this.#holds(value));
    const broken = readings.find(({ value }) => !this.#holds(value));
    if (broken) {
      const count = readings.filter(({ value }) => !this.#holds(value)).length;
      const seen = `${this.#told(broken)}, the first of ${count} of ${readings.length} such times`;
      return { outcome: 'fails', seen, atMs: broken.fromMs };
    }
    requireTime(this.#scope, evidence);
    const worst = this.#extreme(readings, -1);
    if (!worst) throw new Unjudged('the run was shorter than the time over which this is measured');
    return { outcome: 'holds', seen: `at worst ${this.#told(worst)}` };
  }

  once(evidence: Evidence): Finding {
    const readings = this.#readings(evidence, (value) => this.#holds(value));
    const first = readings.find(({ value }) => this.#holds(value));
    if (first) return { outcome: 'holds', seen: this.#told(first) };
    requireTime(this.#scope, evidence);
    const best = this.#extreme(readings, 1);
    const seen = best ? `at best ${this.#told(best)}` : 'never, and nothing came back';
    return { outcome: 'fails', seen, atMs: this.#scope.toMs };
  }

  /** Throws `Unjudged` if nothing was measured in one of them, and none of the others decides. */
  #readings({ endedMs }: Evidence, decides: (value: number) => boolean): (Reading & Window)[] {
    const untilMs = Math.min(this.#scope.toMs, endedMs);
    const found: (Reading & Window)[] = [];
    let reason: Unjudged | undefined;
    for (let { fromMs } = this.#scope; fromMs + this.#overMs <= untilMs; fromMs += STEP_MS) {
      const window = { fromMs, toMs: fromMs + this.#overMs };
      try {
        found.push({ ...this.#read(window), ...window });
      } catch (error) {
        if (!(error instanceof Unjudged)) throw error;
        reason ??= new Unjudged(`${error.message}: ${between(window)}`);
      }
    }
    if (reason && !found.some(({ value }) => decides(value))) throw reason;
    return found;
  }

  /** `sign` 1: the one that is nearest to holding, or holds best; -1: the other end. */
  #extreme(readings: readonly (Reading & Window)[], sign: 1 | -1): (Reading & Window) | undefined {
    const up = this.#expectation.comparison.startsWith('<') ? -sign : sign;
    return readings
      .filter(({ value }) => !Number.isNaN(value))
      .reduce<(Reading & Window) | undefined>(
        (best, one) => (best === undefined || up * (one.value - best.value) > 0 ? one : best),
        undefined,
      );
  }

  #holds(value: number): boolean {
    return holds(this.#expectation, value);
  }

  #told({ seen, ...window }: Reading & Window): string {
    const since = this.#scope.sinceMs;
    if (since === undefined) return `${seen} ${between(window)}`;
    return `${seen} from ${instant(window.fromMs - since)} to ${instant(window.toMs - since)} after it`;
  }
}

const between = ({ fromMs, toMs }: Window): string => `from ${instant(fromMs)} to ${instant(toMs)}`;

/** What gives the statistic of a time; throws `Unjudged` where there is none. */
function readerOf(expectation: MeasureExpectation, evidence: Evidence): (window: Window) => Reading {
  const { what, from, to, ofTraffic } = expectation;
  const [a, b] = [endpointOf(from), endpointOf(to)];
  if (what === 'rate' || what === 'bytes') {
    const samples = evidence.rates(a, b);
    return (window) =>
      rateIn(
        expectation,
        samples.filter(({ tMs }) => isIn(tMs, window)),
        window,
      );
  }
  if (ofTraffic) {
    const samples = evidence.roundTrips(a, b);
    return (window) =>
      trafficIn(
        expectation,
        samples.filter(({ tMs }) => isIn(tMs, window)),
      );
  }
  const probes = what === 'latency' ? evidence.datagrams(a, b) : evidence.probes(a, b);
  return (window) =>
    probesIn(
      expectation,
      probes.filter(({ sentMs }) => isIn(sentMs, window)),
    );
}

function probesIn({ what, statistic }: MeasureExpectation, sent: readonly Probe[]): Reading {
  const [name, came] = what === 'latency' ? ['datagram', 'arrived'] : ['echo request', 'was answered'];
  if (sent.length === 0) throw new Unjudged(`no ${name} was sent in this time`);
  const times = sent.flatMap(({ tookMs }) => (tookMs === null ? [] : [tookMs]));
  if (what === 'loss') {
    const lost = (sent.length - times.length) / sent.length;
    return { value: lost, seen: `${formatRatio(ratio(lost))} of ${sent.length}` };
  }
  if (times.length === 0)
    return { value: Number.NaN, seen: `none of ${sent.length} ${came}`, atMs: sent[0]!.sentMs };
  const value = fromMillis(statisticOf(times, statistic));
  const part = `${times.length} of ${sent.length} ${came.replace('was ', '')}`;
  return { value, seen: `${formatMicros(value)} (${part})` };
}

function rateIn(
  { what, statistic }: MeasureExpectation,
  samples: readonly { rateBps: number }[],
  window: Window,
): Reading {
  const rates = samples.map(({ rateBps }) => rateBps);
  if (rates.length === 0) throw new Unjudged('nothing was recorded in this time');
  if (what === 'rate') {
    const value = statisticOf(rates, statistic);
    return { value, seen: `${formatRate(value)} in ${rates.length} s` };
  }
  const seconds = millisToSeconds(window.toMs - window.fromMs);
  const bytes = bytesOf(statisticOf(rates, { kind: 'mean' }) * seconds);
  return { value: bytes, seen: `${megabytes(bytes).toPrecision(4)} MB` };
}

function trafficIn({ statistic }: MeasureExpectation, samples: readonly { roundTripMs: number }[]): Reading {
  if (samples.length === 0) throw new Unjudged('no TCP connection measured a round trip in this time');
  const value = fromMillis(
    statisticOf(
      samples.map(({ roundTripMs }) => roundTripMs),
      statistic,
    ),
  );
  return { value, seen: `${formatMicros(value)} (measured ${samples.length} times)` };
}

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
