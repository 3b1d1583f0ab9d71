/** Echo requests under way: which answer is whose, and which of them are lost. Of whatever is probed, a path or a host. */
import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import { micros, toMillis } from '../../proto/units.ts';

/** How often they are sent and read: a few at a time, so that no event waits. */
export const TURN_MS = 100;
/** A turn that comes later than this: the machine paused, and what was under way may be late for that. */
const LATE_TURN_MS = 250;
/** Beyond what an answer takes at the most, it is overdue after so long: others are sent to know more … */
const OVERDUE_MS = 60;
/** … and is lost after so long. */
const PATIENCE_MS = 400;
/** Of so many that were given up as lost, the owner hears when they come nevertheless. */
const MOST_GIVEN_UP = 1000;

export interface Echo {
  readonly token: number;
  readonly roundTripMicros: number;
}

/** Where an echo request is sent. */
export type EchoSource = Pick<LocalEndpoint, 'number' | 'namespace' | 'addresses'>;

/** Sends echo requests, and reads the answers. */
export interface EchoPort {
  /** Whether an answer is there only when it has been delayed on its arrival as well; else its way back is the real network's. */
  readonly measuresBack: boolean;
  /** From inside of an endpoint; `undefined`: from where the agent is. Returns whether it was sent. */
  send(from: EchoSource | undefined, address: string, token: number): boolean;
  /** Answers since the last call. */
  collect(): readonly Echo[];
  /** Endpoints that are not here any more are forgotten. */
  keep(local: readonly LocalEndpoint[]): void;
  /** Processor time of this thread so far, ms; exact, unlike the kernel's accounts of user and system time. */
  usedMs(): number;
  close(): void;
}

/** Who has sent one. */
export interface EchoOwner {
  /** Its round trip, ms; `undefined`: it is lost. */
  note(outcome: number | undefined, now: number): void;
  /** It came back, and nobody can say after how long. */
  forget(): void;
  /** It should be back; it may come yet. */
  overdue(now: number): void;
  /** It came back after it had been noted as lost. */
  late?(outcome: number, now: number): void;
}

interface Waiting {
  readonly owner: EchoOwner;
  overdueAt: number;
  until: number;
  isOverdue: boolean;
}

export class Echoes {
  readonly #port: EchoPort;
  readonly #waiting = new Map<number, Waiting>();
  readonly #givenUp = new Map<number, EchoOwner>();
  #token = 0;
  #sent = 0;
  #lost = 0;
  #collectedAt: number | undefined;

  constructor(port: EchoPort) {
    this.#port = port;
  }

  get counted(): { readonly sent: number; readonly lost: number } {
    return { sent: this.#sent, lost: this.#lost };
  }

  /** `waitMs`: what an answer takes at the most, if nothing is wrong. Returns whether it was sent. */
  send(
    from: EchoSource | undefined,
    address: string,
    { waitMs, now, owner }: { readonly waitMs: number; readonly now: number; readonly owner: EchoOwner },
  ): boolean {
    this.#token = (this.#token + 1) % 2 ** 32;
    if (!this.#port.send(from, address, this.#token)) return false;
    this.#sent++;
    const due = now + waitMs;
    const times = { overdueAt: due + OVERDUE_MS, until: due + PATIENCE_MS };
    this.#waiting.set(this.#token, { owner, ...times, isOverdue: false });
    return true;
  }

  /** To be called every `TURN_MS`: tells owners what has become of theirs. */
  collect(now: number): void {
    const pausedMs = now - (this.#collectedAt ?? now);
    this.#collectedAt = now;
    for (const { token, roundTripMicros } of this.#port.collect()) {
      const ms = toMillis(micros(roundTripMicros));
      const waiting = this.#waiting.get(token);
      if (!this.#waiting.delete(token)) {
        this.#hearLate(token, ms, now);
        continue;
      }
      // The date was set meanwhile.
      if (ms < 0) waiting!.owner.forget();
      else waiting!.owner.note(ms, now);
    }
    for (const [token, waiting] of this.#waiting) {
      if (pausedMs > LATE_TURN_MS) {
        waiting.overdueAt += pausedMs;
        waiting.until += pausedMs;
      }
      if (waiting.until <= now) {
        this.#waiting.delete(token);
        this.#lost++;
        this.#giveUp(token, waiting.owner);
        waiting.owner.note(undefined, now);
      } else if (!waiting.isOverdue && waiting.overdueAt <= now) {
        waiting.isOverdue = true;
        waiting.owner.overdue(now);
      }
    }
  }

  #giveUp(token: number, owner: EchoOwner): void {
    if (!owner.late) return;
    this.#givenUp.set(token, owner);
    if (this.#givenUp.size > MOST_GIVEN_UP) this.#givenUp.delete(this.#givenUp.keys().next().value!);
  }

  /** What is under way takes as long, then. */
  #hearLate(token: number, ms: number, now: number): void {
    const owner = this.#givenUp.get(token);
    this.#givenUp.delete(token);
    if (!owner || ms < 0) return;
    for (const waiting of this.#waiting.values()) if (waiting.owner === owner) waiting.until += ms;
    owner.late?.(ms, now);
  }

  /** A number in 0..1 for the latest one; a series of them is spread evenly, whatever its length. */
  get spread(): number {
    return (this.#token * GOLDEN) % 1;
  }
}

const GOLDEN = 0.618033988749895;
