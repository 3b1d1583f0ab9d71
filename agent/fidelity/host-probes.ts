/**
 * Probes from this agent to the agents of other hosts: echo requests past all paths, over the real network alone. The mesh sends too
 * little for its losses to be noticed soon, and its answers come from processes, which may be late themselves.
 */
import { type Micros, toMillis } from '../../proto/units.ts';
import type { Echoes, EchoOwner } from './echoes.ts';
import { LongerTrip, LongerTrips } from './longer-trips.ts';
import type { UnderlayLoss } from './underlay-loss.ts';

/** To one host after the other. */
const INTERVAL_MS = 200;
/** Where the network may lose too much: 40 a second, 21 kb/s. */
const SUSPECTED_A_TURN = 4;
/** Where it may take longer than it did: ten a second. */
const DOUBTFUL_A_TURN = 1;
/** Of so many hosts at once: the others are named after them. */
const MOST_SUSPECTED = 2;
/** After so many without any answer, ICMP is not allowed there, and it is asked seldom. */
const UNANSWERED = 8;
const SELDOM_MS = 10_000;
/** So long an answer takes at the most: as long as nobody knows better … */
const FIRST_WAIT_MS = 100;
/** … and then twice the round trip, and what a busy machine adds. */
const MARGIN_MS = 10;

export interface OtherHost {
  readonly host: string;
  /** The shortest round trip of TCP to it. */
  readonly shortestMicros?: Micros | undefined;
  /** IPv4, of its agent; `undefined`: it has none, or it is not known. */
  readonly address?: string | undefined;
}

interface Probed {
  readonly address: string;
  readonly owner: EchoOwner;
  readonly trip: LongerTrip;
  /** Answers took as long lately, and were taken for lost, ms. */
  lateMs: number;
  unanswered: number;
  /** Not before. */
  dueAt: number;
}

export class HostProbes {
  readonly #echoes: Echoes;
  readonly #loss: UnderlayLoss;
  /** Those that were asked longest ago come first. */
  readonly #hosts = new Map<string, Probed>();
  readonly #longer = new LongerTrips();
  #dueAt = 0;
  #isNew = false;

  constructor(echoes: Echoes, loss: UnderlayLoss) {
    this.#echoes = echoes;
    this.#loss = loss;
  }

  /** The hosts to be probed from now on. */
  keep(others: readonly OtherHost[]): void {
    const addresses = new Map(others.map(({ host, address }) => [host, address]));
    for (const [host, { address }] of this.#hosts)
      if (addresses.get(host) !== address) this.#hosts.delete(host);
    for (const { host, address, shortestMicros } of others) {
      if (address !== undefined && !this.#hosts.has(host)) this.#hosts.set(host, this.#begin(host, address));
      if (shortestMicros !== undefined) this.#hosts.get(host)?.trip.noteTcp(toMillis(shortestMicros));
    }
  }

  /**
   * Host → the round trip to it, while that is longer than it was. The same map until something of it changes. `isBusy`: this machine has
   * no time left.
   */
  longer(isBusy: boolean): ReadonlyMap<string, Micros> {
    return this.#longer.of(
      Array.from(this.#hosts, ([host, { trip }]) => [host, trip] as const),
      isBusy,
    );
  }

  /** Whether it takes longer to a host since the last call, of which a look has not told. */
  takeNews(): boolean {
    const isNew = this.#isNew;
    this.#isNew = false;
    return isNew;
  }

  /** To be called every turn. */
  turn(now: number): void {
    let hurried = 0;
    for (const [host, probed] of this.#hosts) {
      if (hurried >= MOST_SUSPECTED) break;
      const count = this.#sooner(host, probed, now);
      if (count === 0) continue;
      hurried++;
      for (let one = 0; one < count; one++) this.#send(probed, now);
    }
    if (this.#dueAt > now) return;
    for (const [host, probed] of this.#hosts) {
      if (probed.dueAt > now) continue;
      this.#dueAt = now + INTERVAL_MS;
      this.#hosts.delete(host);
      this.#hosts.set(host, probed);
      this.#send(probed, now);
      return;
    }
  }

  /** How many more of it are to be sent in this turn. */
  #sooner(host: string, { trip }: Probed, now: number): number {
    if (trip.shortestMs === undefined) return 0;
    if (this.#loss.isSuspicious(host, now)) return SUSPECTED_A_TURN;
    return trip.isDoubtful ? DOUBTFUL_A_TURN : 0;
  }

  #send(probed: Probed, now: number): void {
    const { address, owner } = probed;
    const { shortestMs, longerMs } = probed.trip;
    if (shortestMs === undefined && probed.unanswered >= UNANSWERED) probed.dueAt = now + SELDOM_MS;
    const usualMs = Math.max(longerMs ?? shortestMs ?? 0, probed.lateMs);
    const waitMs = shortestMs === undefined ? FIRST_WAIT_MS : 2 * usualMs + MARGIN_MS;
    this.#echoes.send(undefined, address, { waitMs, now, owner });
  }

  #begin(host: string, address: string): Probed {
    const note = (outcome: number | undefined, now: number): void => {
      if (this.#hosts.get(host) !== probed) return;
      if (outcome === undefined) probed.unanswered++;
      else {
        const before = probed.trip.longerMs;
        probed.trip.note(outcome, now);
        if (!probed.trip.isOdd) probed.lateMs = 0;
        if (before === undefined && probed.trip.longerMs !== undefined) this.#isNew = true;
        probed.dueAt = 0;
      }
      // Who never answered may not be allowed to.
      if (probed.trip.shortestMs !== undefined) this.#loss.noteProbe(host, outcome === undefined, now);
    };
    const overdue = (now: number): void => {
      if (this.#hosts.get(host) === probed && probed.trip.shortestMs !== undefined)
        this.#loss.suspect(host, now);
    };
    // The network is slow, and loses nothing.
    const late = (ms: number, now: number): void => {
      if (this.#hosts.get(host) !== probed) return;
      probed.lateMs = Math.max(probed.lateMs, ms);
      this.#loss.forgive(host);
      note(ms, now);
    };
    const owner = { note, forget: () => {}, overdue, late };
    const probed: Probed = { address, owner, trip: new LongerTrip(), lateMs: 0, unanswered: 0, dueAt: 0 };
    return probed;
  }
}
