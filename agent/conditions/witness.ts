/**
 * Looks whether one expectation holds, from an instant on. What is looked at is bounded: the latest stretch of time over which it
 * is measured, however long that takes.
 */
import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import { fromMillis, type Micros, toMillis } from '../../proto/units.ts';
import type { Evidence, RateSample, TrafficSample } from '../../topology/judge/evidence.ts';
import { judge } from '../../topology/judge/judge.ts';
import { Lives } from '../../topology/judge/lives.ts';
import { endpointOf } from '../../topology/judge/scope.ts';
import type { Expectation, When } from '../../topology/model/expectations.ts';
import type { EchoSeries, Senses } from './senses.ts';

/** Rates and round trips of connections are read as often as a record has them. */
const SAMPLE_MS = 1000;
/** Beside the time over which it is measured, so that each stretch is looked at while it is the latest. */
const SPARE_MS = 1000;
/** Of a silence that has lasted for a second, the beginning is not older. */
const SILENCE_MS = 4000;

export class Witness {
  readonly #expectation: Expectation;
  readonly #endpoint: LocalEndpoint;
  readonly #senses: Senses;
  readonly #sinceMs: number;
  /** Infinite: there is none. */
  readonly #deadlineMs: number;
  readonly #rates: RateSample[] = [];
  readonly #roundTrips: TrafficSample[] = [];
  readonly #lives = new Lives();
  #echoes: EchoSeries | undefined;
  #sampledMs: number;

  /** `sinceMs`: of the timeline, as all times. */
  constructor(
    { expectation, timeout }: { readonly expectation: Expectation; readonly timeout: Micros | undefined },
    { endpoint, sinceMs, senses }: { endpoint: LocalEndpoint; sinceMs: number; senses: Senses },
  ) {
    this.#expectation = expectation;
    this.#endpoint = endpoint;
    this.#senses = senses;
    this.#sinceMs = sinceMs;
    this.#sampledMs = sinceMs;
    this.#deadlineMs = timeout === undefined ? Number.POSITIVE_INFINITY : sinceMs + toMillis(timeout);
  }

  /** Why nothing is measured, in words; `undefined`: it is. */
  get problem(): string | undefined {
    return this.#echoes?.problem;
  }

  /** `undefined`: not yet. */
  look(nowMs: number): 'holds' | 'late' | undefined {
    this.#sense(nowMs);
    const untilMs = Math.min(this.#settledMs(nowMs), this.#deadlineMs);
    if (untilMs > this.#sinceMs && this.#holds(untilMs)) return 'holds';
    return untilMs >= this.#deadlineMs ? 'late' : undefined;
  }

  stop(): void {
    this.#echoes?.stop();
  }

  #sense(nowMs: number): void {
    const { what } = this.#expectation;
    const from = this.#endpoint;
    if (what === 'exit' || what === 'processes')
      this.#lives.take(nowMs, from.name, this.#senses.words(from.name));
    if (!('from' in this.#expectation)) return;
    const to = endpointOf(this.#expectation.to);
    if (this.#usesEchoes) this.#echoes ??= this.#senses.openEchoes(from, to, nowMs);
    else if (nowMs >= this.#sampledMs + SAMPLE_MS) {
      this.#sampledMs = nowMs;
      if (this.#isOfTraffic)
        for (const roundTripMs of this.#senses.roundTripsMs(from, to))
          this.#roundTrips.push({ tMs: nowMs, roundTripMs });
      else this.#rates.push({ tMs: nowMs, rateBps: this.#senses.rateBps(from, to) });
    }
    const oldMs = nowMs - this.#reachBackMs - SILENCE_MS;
    this.#echoes?.forgetBefore(oldMs);
    for (const samples of [this.#rates, this.#roundTrips])
      while (samples.length > 0 && samples[0]!.tMs < oldMs) samples.shift();
  }

  get #isOfTraffic(): boolean {
    return 'ofTraffic' in this.#expectation && this.#expectation.ofTraffic === true;
  }

  get #usesEchoes(): boolean {
    const { what } = this.#expectation;
    return what === 'loss' || what === 'reach' || (what === 'rtt' && !this.#isOfTraffic);
  }

  /** Until when all is known. */
  #settledMs(nowMs: number): number {
    if (this.#usesEchoes) return this.#echoes?.settledMs(nowMs) ?? this.#sinceMs;
    return 'from' in this.#expectation ? this.#sampledMs : nowMs;
  }

  get #reachBackMs(): number {
    const expectation = this.#expectation;
    if ('over' in expectation && expectation.over !== undefined) return toMillis(expectation.over) + SPARE_MS;
    return SILENCE_MS;
  }

  #holds(untilMs: number): boolean {
    const expectation = this.#expectation;
    const isMeasured = 'from' in expectation;
    const fromMs = isMeasured ? Math.max(this.#sinceMs, untilMs - this.#reachBackMs) : this.#sinceMs;
    const when: When = {
      kind: 'within',
      within: fromMillis(untilMs - fromMs),
      after: { at: fromMillis(fromMs) },
    };
    return judge({ ...expectation, when } as Expectation, this.#evidence(untilMs)).outcome === 'holds';
  }

  #evidence(endedMs: number): Evidence {
    return {
      endedMs,
      endpoints: [this.#endpoint.name],
      probes: () => (this.#echoes?.probes ?? []).filter(({ sentMs }) => sentMs <= endedMs),
      datagrams: () => [],
      rates: () => this.#rates,
      roundTrips: () => this.#roundTrips,
      exit: (endpoint) => this.#lives.exit(endpoint),
      lives: (endpoint) => this.#lives.lives(endpoint),
      neverRan: (endpoint) => this.#lives.neverRan(endpoint),
      logged: () => [],
      numbers: () => [],
      events: [],
      doubts: [],
    };
  }
}
