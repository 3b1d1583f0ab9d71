/** Numbers that an agent counts anyway → symptoms: each look has what they have grown by. Pure. */
import { type Symptom, TICKS_WINDOW_MS, WINDOW_MS } from './causes.ts';
import { Window } from './window.ts';

/** All since the start. */
export interface Counted {
  readonly released: number;
  readonly lateMs: number;
  readonly unattended: number;
  readonly overflowed: number;
  readonly uncounted: number;
  readonly ticks: number;
  /** Endpoint → frames that passed its queue by. */
  readonly strays: ReadonlyMap<string, number>;
}

export interface CountersOptions {
  /** Mean and bound of lateness, ms, and of how many packets at least. */
  readonly lateBoundMs: number;
  readonly leastPackets: number;
  readonly tickMs: number;
  readonly tickBound: number;
}

export class Counters {
  readonly #options: CountersOptions;
  readonly #window = new Window<'released' | 'lateMs'>(WINDOW_MS);
  readonly #ticks = new Window<'ticks'>(TICKS_WINDOW_MS);
  #before: Counted | undefined;
  #meanLateMs = 0;
  #areTicksLate = false;

  constructor(options: CountersOptions) {
    this.#options = options;
  }

  /** Of the packets that have left the delay line in the window of the last look; 0 where there were too few, or nobody knows. */
  get meanLateMs(): number {
    return this.#meanLateMs;
  }

  /** At the last look: then what this agent waits for may have been there long ago. */
  get areTicksLate(): boolean {
    return this.#areTicksLate;
  }

  /** After a pause, what was before does not count. */
  forget(): void {
    this.#window.forget();
    this.#ticks.forget();
    this.#before = undefined;
    this.#meanLateMs = 0;
    this.#areTicksLate = false;
  }

  look(now: number, counted: Counted): Symptom[] {
    const { released, lateMs, ticks } = counted;
    const { grown } = this.#window.add(now, { released, lateMs });
    const ticked = this.#ticks.add(now, { ticks });
    const symptoms = [...this.#late(grown), ...this.#slow(ticked.grown.ticks, ticked.ms)];
    if (this.#before) symptoms.push(...lostSince(this.#before, counted));
    this.#before = counted;
    return symptoms;
  }

  #late({ released, lateMs }: { released: number; lateMs: number }): Symptom[] {
    const { leastPackets, lateBoundMs } = this.#options;
    const mean = lateMs / released;
    this.#meanLateMs = released < leastPackets ? 0 : Math.max(0, mean);
    if (this.#meanLateMs <= lateBoundMs) return [];
    const message = `${released} packets left the delay line ${mean.toFixed(1)} ms late on average: this machine is too busy for its endpoints`;
    return [{ code: 'PACKETS_LATE', measured: mean, message }];
  }

  #slow(ticks: number, ms: number): Symptom[] {
    const { tickMs, tickBound } = this.#options;
    const measured = ms < TICKS_WINDOW_MS ? 0 : ms / tickMs / Math.max(1, ticks);
    this.#areTicksLate = measured > tickBound;
    if (!this.#areTicksLate) return [];
    const message = `only ${ticks} of ${Math.round(ms / tickMs)} ticks came: shares are older than they should be`;
    return [{ code: 'TICKS_LATE', measured, message }];
  }
}

function lostSince(before: Counted, now: Counted): Symptom[] {
  const symptoms: Symptom[] = [];
  const tell = (code: Symptom['code'], measured: number, message: string, path?: string): void => {
    if (measured > 0)
      symptoms.push({ code, measured, message: `${measured} ${message}`, ...(path && { path }) });
  };
  tell(
    'PACKETS_UNDELAYED',
    now.unattended - before.unattended,
    'packets passed neither delayed nor lost: this agent did not run meanwhile (SIGSTOP, a debugger, a processor that others have)',
  );
  tell(
    'QUEUE_OVERFLOW',
    now.overflowed - before.overflowed,
    'packets found no room in the delay queue of the endpoint at which they arrived, and were dropped: send less, or shorten the latency',
  );
  tell(
    'TRAFFIC_UNCOUNTED',
    now.uncounted - before.uncounted,
    'packets were not counted, and shares may be wrong: too many pairs of endpoints on one host',
  );
  for (const [endpoint, strays] of now.strays)
    tell(
      'QUEUE_BYPASSED',
      strays - (before.strays.get(endpoint) ?? 0),
      `frames of ${endpoint} had not passed its queue, and were dropped where its link ends`,
      `${endpoint} > *`,
    );
  return symptoms;
}
