/**
 * Writes each change of a local flow's share into the run log, with the time from which it was in force. Reaction
 * times are judged by it, since traffic shows a share only after TCP has followed.
 */
import { Lanes } from '../../proto/lanes.ts';
import type { RunLog } from './run-log.ts';

/** A flow by the numbers of its endpoints, and its share; `Infinity` without a limit. */
export interface LocalShare {
  readonly source: number;
  readonly destination: number;
  readonly ceilingBps: number;
}

interface Known {
  readonly source: number;
  readonly destination: number;
  shareBps: number;
  round: number;
}

export class ShareChanges {
  readonly #log: RunLog;
  readonly #names: readonly string[];
  readonly #lanes: Lanes;
  /** Only of present flows. */
  readonly #known = new Map<string, Known>();
  #round = 0;

  /** `names`: of all endpoints, by number. */
  constructor(log: RunLog, names: readonly string[], lanes = new Lanes(names.length)) {
    this.#log = log;
    this.#lanes = lanes;
    this.#names = names;
  }

  /** Takes all shares that are in force from `atMicros` on, and records the changes. */
  note(shares: readonly LocalShare[], atMicros: number, epoch: number): void {
    const round = ++this.#round;
    for (const { source, destination, ceilingBps: shareBps } of shares) {
      const key = `${source} ${destination}`;
      const known = this.#known.get(key);
      if (known?.shareBps !== shareBps) this.#record(source, destination, shareBps, atMicros, epoch);
      if (known) {
        known.shareBps = shareBps;
        known.round = round;
      } else {
        this.#known.set(key, { source, destination, shareBps, round });
      }
    }
    for (const [key, { source, destination, round: seen }] of this.#known) {
      if (seen === round) continue;
      this.#known.delete(key);
      this.#record(source, destination, 0, atMicros, epoch);
    }
  }

  #record(source: number, destination: number, bps: number, atMicros: number, epoch: number): void {
    const shareBps = Number.isFinite(bps) ? bps : null;
    const ends = { from: this.#names[source]!, to: this.#names[this.#lanes.endpointOf(destination)]! };
    this.#log.append(
      { kind: 'share', ...ends, ...this.#lanes.placeOf(destination), shareBps, epoch },
      atMicros,
    );
  }
}
