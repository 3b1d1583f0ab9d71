/**
 * Symptoms → causes: what was seen at each look becomes a cause that has a beginning and an end. Pure: time is an argument, in
 * milliseconds that never go back.
 */
import { CAUSES, type CauseCode, type Symptom } from './causes.ts';

/** Of ended causes the latest are kept: 1,000 take 0.3 MB. */
const KEPT = 1000;

export interface JudgedCause {
  readonly code: CauseCode;
  readonly host: string | undefined;
  readonly path: string | undefined;
  /** Of the worst, and of several such, of the latest. */
  readonly message: string;
  readonly measured: number;
  readonly bound: number;
  readonly since: number;
  /** When it was seen last; `undefined` while it goes on. */
  readonly until: number | undefined;
}

interface Present {
  symptom: Symptom;
  readonly since: number;
  lastSeen: number;
  /** Whether it has held long enough to count. */
  counts: boolean;
}

export interface JudgeOptions {
  /** Called when a cause begins to count, and when it has ended. */
  readonly onChange?: (cause: JudgedCause) => void;
  readonly kept?: number;
}

export class Judge {
  readonly #present = new Map<string, Present>();
  #ended: JudgedCause[] = [];
  #forgotten = 0;
  readonly #onChange: (cause: JudgedCause) => void;
  readonly #kept: number;

  constructor({ onChange = () => {}, kept = KEPT }: JudgeOptions = {}) {
    this.#onChange = onChange;
    this.#kept = kept;
  }

  /** All that is so now. What is not among it any more ends after the time that its rule says. */
  observe(now: number, symptoms: readonly Symptom[]): void {
    const seen = new Set<string>();
    for (const symptom of symptoms) {
      const key = keyOf(symptom);
      seen.add(key);
      this.#see(key, symptom, now);
    }
    for (const [key, present] of this.#present) if (!seen.has(key)) this.#miss(key, present, now);
  }

  #see(key: string, symptom: Symptom, now: number): void {
    const known = this.#present.get(key);
    const present = known ?? { symptom, since: symptom.since ?? now, lastSeen: now, counts: false };
    if (!known) this.#present.set(key, present);
    present.lastSeen = now;
    // Of those that are equally bad, the latest: what it names may be another container, or other work.
    if (!isWorse(present.symptom, symptom)) present.symptom = symptom;
    const { holdsMs = CAUSES[symptom.code].holdsMs } = symptom;
    if (present.counts || now - present.since < holdsMs) return;
    present.counts = true;
    this.#onChange(causeOf(present));
  }

  #miss(key: string, present: Present, now: number): void {
    const { clearsMs } = CAUSES[present.symptom.code];
    if (present.counts && now - present.lastSeen < clearsMs) return;
    this.#present.delete(key);
    if (!present.counts) return;
    const cause = causeOf(present, present.lastSeen);
    this.#ended.push(cause);
    if (this.#ended.length > this.#kept) {
      this.#ended.shift();
      this.#forgotten++;
    }
    this.#onChange(cause);
  }

  /** What was before does not count. What goes on begins anew. */
  forget(): void {
    this.#present.clear();
    this.#ended = [];
    this.#forgotten = 0;
  }

  /** The oldest first. */
  get causes(): JudgedCause[] {
    const going = [...this.#present.values()].filter(({ counts }) => counts).map((one) => causeOf(one));
    return [...this.#ended, ...going].sort((a, b) => a.since - b.since);
  }

  /** How many older ones are no longer kept. */
  get forgotten(): number {
    return this.#forgotten;
  }
}

const keyOf = ({ code, host = '', path = '' }: Symptom): string => `${code} ${host} ${path}`;

function causeOf({ symptom, since }: Present, until?: number): JudgedCause {
  const { code, host, path, message, measured, bound = CAUSES[code].bound } = symptom;
  return { code, host, path, message, measured, bound, since, until };
}

function isWorse({ code, measured }: Symptom, than: Symptom): boolean {
  return CAUSES[code].isFloor ? measured < than.measured : measured > than.measured;
}
