/**
 * One clock for all hosts: all follow that of the live host with the lowest name among those that know the time. A
 * host that doesn't know it, because it joined late or restarted, learns it from the others. It also measures the
 * round-trip times to other hosts.
 */
import type { ClockStatus } from '../../proto/status.ts';
import { fromMillis, type Micros, micros, toMillis } from '../../proto/units.ts';
import type { Clock } from './clock.ts';
import { type Voter, vote } from './clock-vote.ts';
import { type ExperimentClock, STEP_MICROS } from './experiment-clock.ts';
import { type ClockEstimate, type ClockPeer, type Exchange, LATEST, PeerClock } from './peer-clock.ts';
import { SlewBudget } from './slew-budget.ts';

/** Requests on first contact, one after the other. The first are slow: connections open, code gets compiled. */
export const BURST = 4;
/** How many peers are asked at the same time. */
export const MAX_UNDER_WAY = 4;
/** Within this time, a message of every present host has arrived, unless the network is very bad. */
const BEATS_TO_HEAR_OTHERS = 3;
/** Every so many turns, a host that is no neighbour is asked: only its round-trip time is needed. */
const FAR_TURN = 8;
/**
 * So long after it has the time, a host believes the reference where there is no majority: two hosts that were started with
 * different dates can only follow one of them.
 */
const BEATS_TO_SETTLE = 10;
/** Requests over TCP are not lost by chance. A peer that is paused briefly must not be given up. */
const FAILURES_TO_GIVE_UP = 4;
/**
 * After an answer that took longer, the peer is asked again at once, one request after the other, so that who judges knows soon.
 * Not at the same time: to open another stream takes longer than all of them (agent/mesh/libp2p/question-streams.ts) …
 */
export const LATE_ANSWER_MS = 500;
const CHECKS = LATEST - 1;
/** … and no sooner again: who is slow is not burdened. */
const CHECKS_EVERY_MS = 5000;
/** Smaller differences are not corrected: they come from scheduling. */
export const MARGIN_MICROS = micros(100);

export interface ClockSyncPorts {
  readonly clock: Clock;
  readonly time: ExperimentClock;
  /** Asks a peer for the time; `undefined` without a valid answer. Doesn't reject. */
  readonly probe: (peer: string) => Promise<Exchange | undefined>;
  /** `timed` has become true. */
  readonly onTimed: () => void;
  /** A host's clock contradicts those of most others, by so many microseconds, and is not followed. */
  readonly onWrong?: (peer: string, host: string, offset: Micros) => void;
}

/** How long a host takes to answer. */
export interface AnswerTime {
  readonly host: string;
  /** Now: the least of the latest `LATEST`. */
  readonly ms: number;
  /** The least of some seconds, which meets fewer pauses of machines. */
  readonly lastingMs: number;
}

export class ClockSync {
  readonly #ports: ClockSyncPorts;
  readonly #host: string;
  readonly #peers = new Map<string, PeerClock>();
  #reference: PeerClock | undefined;
  #timed = false;
  #underWay = 0;
  #beats = 0;
  #turn = 0;
  /** When `timed` became true, in beats. */
  #timedAt = Number.POSITIVE_INFINITY;
  /** Most others contradict this host's clock. */
  #isWrong = false;
  #budget: SlewBudget;

  /** `host`: name of the own host. */
  constructor(ports: ClockSyncPorts, host: string) {
    this.#ports = ports;
    this.#host = host;
    this.#budget = new SlewBudget(ports.clock.now());
    ports.time.onChange(() => this.#join());
  }

  /**
   * Whether others may take the time from this host. Only after a comparison with hosts that had the time earlier: a
   * host that received a wrong start must not become the reference.
   */
  get timed(): boolean {
    return this.#timed;
  }

  /** Least round-trip time to a host in the latest exchanges, in microseconds. */
  rttMicros(host: string): Micros | undefined {
    return this.#peers.get(host)?.rttMicros;
  }

  /** Of the hosts that have answered often enough. */
  answerTimes(): AnswerTime[] {
    const now = this.#ports.clock.now();
    return [...this.#peers.values()].flatMap((peer) => {
      const { host, rttMicros } = peer;
      const answers = peer.answersAt(now);
      if (!answers) return [];
      return { host, ms: toMillis(answers.least), lastingMs: toMillis(rttMicros ?? answers.least) };
    });
  }

  /** Sets the other hosts that are present. New ones are asked at once. */
  setPeers(peers: readonly ClockPeer[]): void {
    const names = new Set(peers.map(({ name }) => name));
    for (const name of [...this.#peers.keys()]) if (!names.has(name)) this.#peers.delete(name);
    for (const peer of peers) {
      let known = this.#peers.get(peer.name);
      if (known?.peer !== peer.peer || known.incarnation !== peer.incarnation) {
        known = new PeerClock(peer);
        known.near = false;
        this.#peers.set(peer.name, known);
      }
      const near = peer.near ?? true;
      if (near && !known.near) known.wanted = BURST;
      known.near = near;
      known.timed = peer.timed;
    }
    this.#join();
    this.#proceed();
  }

  /**
   * To be called once a heartbeat. Asks one peer, the reference every second time, so that the cost is the same for
   * any number of hosts.
   */
  beat(): void {
    this.#beats++;
    this.#join();
    const reference = this.#reference;
    const isTurnOfReference = this.#beats % 2 === 0 || this.#estimate(reference) === undefined;
    const peer = reference && isTurnOfReference ? reference : this.#next();
    if (peer) peer.wanted ||= 1;
    this.#proceed();
  }

  #next(): PeerClock | undefined {
    const turn = this.#turn++;
    const peers = [...this.#peers.values()];
    const far = peers.filter(({ near }) => !near);
    if (turn % FAR_TURN === FAR_TURN - 1 && far.length > 0)
      return far[Math.floor(turn / FAR_TURN) % far.length];
    const near = far.length > 0 ? peers.filter((peer) => peer.near) : peers;
    return near[turn % near.length];
  }

  status(): ClockStatus {
    const reference = this.#reference;
    const isReference = reference === undefined && this.#timed;
    return {
      state: this.#ports.time.state,
      reference: reference?.host ?? (isReference ? this.#host : null),
      ...(isReference ? { offsetMs: 0, errorMs: 0 } : this.#difference(reference)),
      peers: [...this.#peers.values()]
        .sort((a, b) => (a.host < b.host ? -1 : 1))
        .map((peer) => ({
          host: peer.host,
          ...this.#difference(peer),
          rttMs: peer.rttMicros === undefined ? null : toMillis(peer.rttMicros),
        })),
    };
  }

  #difference(peer: PeerClock | undefined): { offsetMs: number | null; errorMs: number | null } {
    const estimate = this.#estimate(peer);
    const offset = estimate && this.#offset(estimate);
    if (offset === undefined) return { offsetMs: null, errorMs: null };
    return { offsetMs: toMillis(offset), errorMs: toMillis(estimate!.error) };
  }

  #estimate(peer: PeerClock | undefined): ClockEstimate | undefined {
    return peer?.estimate(this.#ports.clock.now());
  }

  /** How far the estimated clock is ahead of the own one, in microseconds. */
  #offset({ offset }: ClockEstimate): Micros | undefined {
    const now = this.#ports.clock.now();
    const exact = this.#ports.time.exact(now);
    return exact === undefined ? undefined : micros(offset + fromMillis(now) - exact);
  }

  /** Determines the reference, and whether this host may be one. */
  #join(): void {
    // Only the host with the lowest name has no lower neighbour, so all follow it, directly or through others
    // (agent/mesh/members/neighbours.ts).
    const timed = [...this.#peers.values()].filter((peer) => peer.timed && peer.near);
    const isAlone = timed.length === 0 && this.#beats >= BEATS_TO_HEAR_OTHERS;
    if (!this.#timed && isAlone && this.#ports.time.exact() !== undefined) this.#setTimed();
    this.#judge(timed);
    const reference = this.#choose(timed.filter(({ wrong }) => !wrong));
    if (reference === this.#reference) return;
    this.#reference = reference;
    if (!reference) return;
    // Its clock may have been corrected since the last request.
    reference.forget();
    reference.wanted = BURST;
    this.#proceed();
  }

  /** Finds clocks that most others contradict. Without a majority, what was found before stays. */
  #judge(timed: readonly PeerClock[]): void {
    const self = { offset: 0, error: 0 };
    const voters: (Voter & { readonly peer?: PeerClock })[] = this.#timed ? [self] : [];
    for (const peer of timed) {
      const estimate = this.#estimate(peer);
      // Without a time of its own, this host compares the others with each other.
      const offset = estimate && (this.#offset(estimate) ?? estimate.offset);
      if (offset !== undefined) voters.push({ peer, offset, error: estimate!.error });
    }
    const { right, wrong } = vote(voters);
    if (right.size === 0) return;
    this.#isWrong = wrong.has(self);
    for (const voter of voters) {
      if (!voter.peer) continue;
      const isNews = wrong.has(voter) && !voter.peer.wrong;
      voter.peer.wrong = wrong.has(voter);
      if (isNews) this.#ports.onWrong?.(voter.peer.peer, voter.peer.host, micros(voter.offset));
    }
  }

  /** `undefined`: this host. */
  #choose(timed: readonly PeerClock[]): PeerClock | undefined {
    const lowest = lowestOf(timed);
    const mayLead = this.#timed && !this.#isWrong;
    if (!lowest || (mayLead && this.#host < lowest.host)) return undefined;
    // A host that can't be asked is followed through others that can.
    return lowestOf(timed.filter(({ failures }) => failures < FAILURES_TO_GIVE_UP)) ?? lowest;
  }

  #setTimed(): void {
    this.#timed = true;
    this.#timedAt = this.#beats;
    this.#budget = new SlewBudget(this.#ports.clock.now());
    this.#ports.onTimed();
  }

  #proceed(): void {
    const peers = [...this.#peers.values()];
    if (this.#reference) peers.unshift(this.#reference);
    for (const peer of peers) {
      if (this.#underWay >= MAX_UNDER_WAY) return;
      if (peer.underWaySince !== undefined) continue;
      if (peer.wanted > 0) void this.#ask(peer);
      else if (peer.checks > 0) void this.#check(peer);
    }
  }

  async #ask(peer: PeerClock): Promise<void> {
    peer.wanted--;
    const exchange = await this.#probe(peer);
    if (exchange) {
      peer.failures = 0;
      peer.add(exchange);
      this.#doubt(peer);
    } else {
      peer.failures++;
      peer.wanted = 0;
    }
    this.#join();
    this.#adoptFromAny();
    // Before the first time, the answer of another may be what was waited for.
    const reference = this.#timed ? peer : this.#reference;
    const isComplete = reference?.wanted === 0 && reference.underWaySince === undefined;
    if (reference && reference === this.#reference && isComplete) this.#follow(reference);
    this.#proceed();
  }

  /** `undefined`: this life of the host did not answer. */
  async #probe(peer: PeerClock): Promise<Exchange | undefined> {
    peer.underWaySince = this.#ports.clock.now();
    this.#underWay++;
    const exchange = await this.#ports.probe(peer.peer);
    this.#underWay--;
    peer.underWaySince = undefined;
    return exchange?.incarnation === peer.incarnation ? exchange : undefined;
  }

  /** Whether a late answer was one, or all are late now. */
  #doubt(peer: PeerClock): void {
    const now = this.#ports.clock.now();
    const answers = peer.answersAt(now);
    const isLate = answers !== undefined && toMillis(answers.last) > LATE_ANSWER_MS;
    if (!isLate || now - peer.checkedAt < CHECKS_EVERY_MS) return;
    peer.checkedAt = now;
    peer.checks = CHECKS;
  }

  async #check(peer: PeerClock): Promise<void> {
    peer.checks--;
    const exchange = await this.#probe(peer);
    if (exchange) peer.noteAnswer(exchange);
    else peer.checks = 0;
    this.#proceed();
  }

  /**
   * If an answer of the reference was lost, any other time is better than none; the reference is followed when it
   * answers.
   */
  #adoptFromAny(): void {
    const { clock, time } = this.#ports;
    if (time.exact() !== undefined || !this.#reference?.failures) return;
    for (const peer of this.#peers.values()) {
      const estimate = peer.timed && !peer.wrong ? this.#estimate(peer) : undefined;
      if (!estimate) continue;
      time.adopt(estimate.offset + fromMillis(clock.now()));
      return;
    }
  }

  #follow(reference: PeerClock): void {
    const { clock, time } = this.#ports;
    const estimate = this.#estimate(reference);
    if (!estimate || this.#mustHearMore()) return;
    const offset = this.#offset(estimate);
    if (offset === undefined) time.adopt(estimate.offset + fromMillis(clock.now()));
    else if (isWorthSteering(offset, estimate) || time.state === 'waiting') this.#steer(offset);
    if (this.#timed) return;
    this.#setTimed();
    this.#join();
  }

  /** Whom most of the hosts contradict is only known after they have answered. */
  #mustHearMore(): boolean {
    if (this.#timed || this.#beats >= BEATS_TO_HEAR_OTHERS) return false;
    const timed = [...this.#peers.values()].filter((peer) => peer.timed && peer.near);
    const answered = timed.filter((peer) => this.#estimate(peer) !== undefined);
    return answered.length * 2 <= timed.length;
  }

  /** A settled clock is moved at once only if most others say that it is wrong; and not faster than clocks diverge. */
  #steer(offset: Micros): void {
    const { clock, time } = this.#ports;
    const isSettled = this.#beats - this.#timedAt >= BEATS_TO_SETTLE;
    if (!isSettled || this.#isWrong) time.steer(offset);
    else if (Math.abs(offset) <= STEP_MICROS) time.steer(this.#budget.spend(offset, clock.now()));
  }
}

function lowestOf(peers: readonly PeerClock[]): PeerClock | undefined {
  return peers.reduce<PeerClock | undefined>(
    (lowest, peer) => (lowest && lowest.host < peer.host ? lowest : peer),
    undefined,
  );
}

/**
 * A difference that the next exchange would contradict is noise. A small one need not exceed the whole error: most of
 * the error is half of the round-trip time, and a clock far away would drift by that much before any correction. A
 * step has to be certain.
 */
function isWorthSteering(offset: number, { error, doubt }: ClockEstimate): boolean {
  const size = Math.abs(offset);
  return size > MARGIN_MICROS + (size > STEP_MICROS ? error : doubt);
}
