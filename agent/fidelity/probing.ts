/**
 * Light probes of netfold's own on paths that carry traffic and that no TCP measures: an echo request from an endpoint to the
 * other, which the kernel there answers. They are ICMP with an identifier and a text of netfold's, and cost a path and the agent no
 * more than the bounds below, which docs/fidelity.md tells.
 */
import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import { bitsOf, micros, millisToSend, toMillis } from '../../proto/units.ts';
import type { ProbesTold } from '../../proto/view.ts';
import type { Path } from '../../topology/model/model.ts';
import type { Timers } from '../clock/clock.ts';
import type { Symptom } from './causes.ts';
import { type Expected, ProbeOutcomes } from './probe-outcomes.ts';
import { isSamePath } from './proofs.ts';

/** How often they are sent and read: a few at a time, so that no event waits. */
export const TURN_MS = 100;
/** Of all paths together: some 5 ms of processor time a second. */
const MOST_A_TURN = 20;
/** A path is probed no more often than this … */
const LEAST_INTERVAL_MS = 500;
/** After one that was lost, the next ones come sooner, until one comes back. */
const HURRIED_INTERVAL_MS = 200;
/** … and so seldom that probes use no more of its bandwidth: half of what makes a pair a flow (agent/usage/flow-meter.ts). */
const MOST_PART = 0.0005;
/** An Ethernet frame with one. */
export const PROBE_FRAME_BYTES = 66;
/** After the time that it takes there and back, it is lost. */
const PATIENCE_MS = 400;
/** After a change of the path, it is in force everywhere within this time, or told of as late. */
const SETTLED_MS = 500;

export interface Echo {
  readonly token: number;
  readonly roundTripMicros: number;
}

/** Sends echo requests inside of endpoints, and reads the answers. */
export interface EchoPort {
  /** Whether an answer is there only when it has been delayed on its arrival as well; else its way back is the real network's. */
  readonly measuresBack: boolean;
  /** Returns whether it was sent. */
  send(from: LocalEndpoint, address: string, token: number): boolean;
  /** Answers since the last call. */
  collect(): readonly Echo[];
  /** Endpoints that are not here any more are forgotten. */
  keep(local: readonly LocalEndpoint[]): void;
  close(): void;
}

/** A path to be probed. */
export interface Target extends Expected {
  readonly key: number;
  readonly name: string;
  readonly from: LocalEndpoint;
  /** IPv4. */
  readonly address: string;
  /** What an answer takes at most, if nothing is wrong, ms. */
  readonly waitMs: number;
  /** There and back. */
  readonly ways: readonly [Path, Path];
  /** The smaller of both directions. */
  readonly bandwidthBps: number;
}

export interface ProbesCounted {
  readonly sent: number;
  readonly lost: number;
  /** The time that sending and reading them took. */
  readonly workMs: number;
}

interface Probed {
  target: Target;
  readonly outcomes: ProbeOutcomes;
  /** Of the next one. */
  dueAt: number;
  isHurried: boolean;
  /** At the last look. */
  wasQuiet: boolean;
}

export class Probing {
  readonly #port: EchoPort;
  readonly #probed = new Map<number, Probed>();
  /** Token → which path, and until when its answer counts. */
  readonly #waiting = new Map<number, { readonly probed: Probed; readonly until: number }>();
  #token = 0;
  #sent = 0;
  #lost = 0;
  #workMs = 0;
  #cancel: () => void = () => {};

  constructor(port: EchoPort) {
    this.#port = port;
  }

  start(timers: Timers, now: () => number, attempt: (work: () => void) => void): void {
    this.#cancel = timers.every(TURN_MS, () =>
      attempt(() => {
        const before = now();
        this.turn(before);
        this.#workMs += now() - before;
      }),
    );
  }

  stop(): void {
    this.#cancel();
    this.#port.close();
  }

  get measuresBack(): boolean {
    return this.#port.measuresBack;
  }

  /** Of all paths since the start. */
  get counted(): ProbesCounted {
    return { sent: this.#sent, lost: this.#lost, workMs: this.#workMs };
  }

  ofPath(key: number): ProbesTold | undefined {
    return this.#probed.get(key)?.outcomes.told;
  }

  /** The paths to be probed from now on. A path that is another than before begins anew. Returns what was seen of them. */
  look(now: number, targets: readonly Target[], local: readonly LocalEndpoint[]): Symptom[] {
    this.#port.keep(local);
    const wanted = new Map(targets.map((target) => [target.key, target]));
    for (const key of this.#probed.keys()) if (!wanted.has(key)) this.#probed.delete(key);
    for (const target of targets) {
      const known = this.#probed.get(target.key);
      if (known && target.ways.every((way, at) => isSamePath(way, known.target.ways[at]!)))
        known.target = target;
      else
        this.#probed.set(target.key, {
          target,
          outcomes: new ProbeOutcomes(),
          dueAt: now + SETTLED_MS,
          isHurried: false,
          wasQuiet: true,
        });
    }
    for (const probed of this.#probed.values()) {
      const { isQuiet } = probed.target.trip;
      if (!isQuiet || !probed.wasQuiet) probed.outcomes.forgetQueued();
      probed.wasQuiet = isQuiet;
    }
    return [...this.#probed.values()].flatMap(({ target, outcomes }) =>
      outcomes.symptoms(target.name, target),
    );
  }

  /** To be called every `TURN_MS`. */
  turn(now: number): void {
    for (const { token, roundTripMicros } of this.#port.collect()) {
      const waiting = this.#waiting.get(token);
      if (!this.#waiting.delete(token) || roundTripMicros < 0) continue;
      this.#note(waiting!.probed, toMillis(micros(roundTripMicros)), now);
    }
    for (const [token, { probed, until }] of this.#waiting) {
      if (until > now) continue;
      this.#waiting.delete(token);
      this.#lost++;
      this.#note(probed, undefined, now);
    }
    let sent = 0;
    for (const [key, probed] of this.#probed) {
      if (probed.dueAt > now) continue;
      if (sent++ >= MOST_A_TURN) return;
      // Behind all others, so that each has its turn.
      this.#probed.delete(key);
      this.#probed.set(key, probed);
      this.#send(probed, now);
    }
  }

  /** Of a path that has changed meanwhile, an old answer says nothing. */
  #note(probed: Probed, outcome: number | undefined, now: number): void {
    if (this.#probed.get(probed.target.key) !== probed) return;
    probed.outcomes.note(outcome);
    probed.isHurried = outcome === undefined;
    if (probed.isHurried) probed.dueAt = Math.min(probed.dueAt, now + intervalOf(probed));
  }

  #send(probed: Probed, now: number): void {
    const { from, address, waitMs } = probed.target;
    // Not in step with what applications do regularly.
    probed.dueAt = now + intervalOf(probed) * (0.75 + ((this.#token * GOLDEN) % 1) / 2);
    this.#token = (this.#token + 1) % 2 ** 32;
    if (!this.#port.send(from, address, this.#token)) return;
    this.#sent++;
    this.#waiting.set(this.#token, { probed, until: now + waitMs + PATIENCE_MS });
  }
}

/** Multiples of it are spread evenly over a whole, whatever their number. */
const GOLDEN = 0.618033988749895;
const PROBE_BITS = bitsOf(PROBE_FRAME_BYTES);

function intervalOf({ target, isHurried }: Probed): number {
  const least = isHurried ? HURRIED_INTERVAL_MS : LEAST_INTERVAL_MS;
  return Math.max(least, millisToSend(PROBE_BITS / MOST_PART, target.bandwidthBps));
}
