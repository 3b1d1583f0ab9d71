/**
 * Byte counters → flows: which pairs carry traffic, how much, and whether they would use more.
 *
 * A flow is *greedy* when it fills its share. Then only the topology limits it, and its rate does not show its
 * demand. Otherwise it is *limited* by its application or by TCP, and its rate is its demand.
 *
 * Each flow has two windows. The short one shows changes, the long one is steady: the rate is the mean of the long
 * window until the short one departs from it permanently. Applications write in bursts (a video segment, iperf3's 128
 * KB blocks), so a departure must last, and a pause must be longer than the earlier ones. Pure: time is an argument
 * of each call.
 */

import { bitsOf, bytesOf, millisToSend, secondsToMillis } from '../../proto/units.ts';
import { type Flow, LONG_TICKS, MAX_PAUSE_MS, type Meter, newMeter, SHORT_TICKS, turn } from './meter.ts';
import { SlowStart, START_FRAMES } from './slow-start.ts';
import { TickTimes } from './tick-times.ts';

export type { Flow } from './meter.ts';

/**
 * A pair below this part of its path's bandwidth is no flow: a ping or a keep-alive changes no share, and would start
 * and stop with every packet. Measured over the long window.
 */
const NEGLIGIBLE = 0.001;

/** A flow becomes greedy from here on … */
const GREEDY_FROM = 0.95;
/** … and stops being greedy below here; in between, nothing changes. */
const GREEDY_UNTIL = 0.85;
/** After its share increased, TCP needs some round trips to fill it, and then the window needs time to show it. */
const GRACE_MS = 300;
/**
 * Whether a flow is greedy is judged over as many ticks as contain this many frames at its rate, or over the long
 * window: one frame more or less must not decide.
 */
const GREED_FRAMES = 20;
/** A flow is not greedy before it has sent this much, however short the time. */
const MIN_GREED_FRAMES = 4;

/** After a pair was presumed greedy by mistake, only its measured rate counts for this long. */
const MISTRUST_MS = 10_000;

/** The short window departs from the long one when they differ by this much, and by more than two frames … */
const DEPARTURE = 0.2;
/** … for this many ticks in a row, in the same direction: bursts at shorter intervals are one steady flow. */
const DEPARTED_TICKS = 5;

/**
 * A flow has stopped after this long without bytes; longer where the link, or the flow, spaces frames further apart.
 */
const IDLE_MS = 150;
const IDLE_FRAMES = 3;
const MAX_IDLE_MS = 5000;
/** A flow that sends in bursts has stopped after a silence of twice its pauses. */
const IDLE_PAUSES = 2;
/** A pair that has sent nothing for this long is forgotten. None of its data counts for longer. */
const FORGOTTEN_MS = Math.max(MISTRUST_MS, MAX_IDLE_MS + MAX_PAUSE_MS);
/** TCP makes packets for the network card of what it sends in a millisecond (net/ipv4/tcp_output.c, tcp_tso_autosize). */
const GSO_SECONDS = 0.001;
const FRAME_BITS = bitsOf(1514);

export class FlowMeter {
  readonly #flows = new Map<number, Meter>();
  /** Meters of pairs that have sent in this tick, and of active ones: those that a tick processes. */
  readonly #awake = new Set<Meter>();
  readonly #endpoints: number;
  readonly #roundTripMs: (source: number, destination: number) => number;
  readonly #times = new TickTimes(SHORT_TICKS, LONG_TICKS);

  /** `roundTripMs`: of an emulated path; called when a flow starts. */
  constructor(endpoints: number, roundTripMs: (source: number, destination: number) => number = () => 0) {
    this.#endpoints = endpoints;
    this.#roundTripMs = roundTripMs;
  }

  /** All pairs that have sent recently; those that are `active` are flows. */
  flows(): Iterable<Flow> {
    return this.#flows.values();
  }

  /** The flows, after `finish`. */
  active(): Iterable<Flow> {
    return this.#awake;
  }

  get(source: number, destination: number): Flow | undefined {
    return this.#flows.get(source * this.#endpoints + destination);
  }

  /**
   * Starts a tick at `nowMs`. Then call `count` for each pair that has sent since the last tick, then `finish`. A
   * pair may be counted more than once in a tick, once for each pair of its addresses: all of these are one flow.
   */
  begin(nowMs: number): void {
    this.#times.begin(nowMs);
  }

  /** `pathBps` is called once, when a pair sends for the first time. */
  count(
    source: number,
    destination: number,
    bytes: number,
    pathBps: (source: number, destination: number) => number,
  ): void {
    const key = source * this.#endpoints + destination;
    let meter = this.#flows.get(key);
    if (!meter) {
      if (bytes === 0) return;
      meter = newMeter(source, destination, pathBps(source, destination), this.#times.count);
      this.#flows.set(key, meter);
    }
    meter.tickBytes += bytes;
    this.#awake.add(meter);
  }

  /**
   * Updates the pairs that have sent or are active; others do not change. True if a flow started, stopped, or changed
   * between greedy and limited.
   */
  finish(): boolean {
    const { now, count } = this.#times;
    let changed = false;
    for (const meter of this.#awake) {
      const { active, greedy } = meter;
      turn(meter, count, now);
      this.#judge(meter, now);
      if (!meter.active) this.#awake.delete(meter);
      if (meter.active !== active || meter.greedy !== greedy) changed = true;
    }
    if (count % LONG_TICKS === 0) this.#forget(now);
    return changed;
  }

  #forget(now: number): void {
    for (const [key, { active, lastSeenMs }] of this.#flows)
      if (!active && now - lastSeenMs > FORGOTTEN_MS) this.#flows.delete(key);
  }

  /** Sets what a flow may use from now on. */
  setEnforced(source: number, destination: number, bps: number, nowMs: number): void {
    const meter = this.#flows.get(source * this.#endpoints + destination);
    if (!meter || meter.enforcedBps === bps) return;
    const raised = bps > meter.enforcedBps;
    meter.enforcedBps = bps;
    if (raised) meter.graceUntilMs = this.#graceUntil(bps, nowMs);
  }

  /** Sets the bandwidth of a path in a new epoch. */
  setPath(source: number, destination: number, bps: number): void {
    const meter = this.#flows.get(source * this.#endpoints + destination);
    if (meter) meter.pathBps = bps;
  }

  #judge(meter: Meter, now: number): void {
    const longSpan = this.#times.fullSpan;
    const volumeBps = bitsOf(sum(meter.ring)) / longSpan;
    if (meter.lastSeenMs === now) meter.paceBps = volumeBps;
    const idle = Math.max(
      idleMs(Math.min(meter.enforcedBps, meter.paceBps)),
      IDLE_PAUSES * meter.pauseMs,
      // The first bursts of a connection are a round trip apart.
      meter.start ? IDLE_PAUSES * this.#roundTripMs(meter.source, meter.destination) : 0,
    );
    if (now - meter.lastSeenMs > idle || !Number.isFinite(meter.pathBps)) {
      this.#end(meter, now);
      return;
    }
    const floor = meter.pathBps * NEGLIGIBLE;
    if (!meter.active && volumeBps < floor) return;
    if (!meter.active) {
      meter.active = true;
      meter.activeTicks = 0;
      meter.longTicks = 1;
      meter.longBytes = meter.ring[this.#times.count % LONG_TICKS]!;
      // The flow started at some time within this tick.
      meter.settlingTicks = SHORT_TICKS + 1;
    } else if (volumeBps < floor / 2 && idleMs(meter.enforcedBps) <= secondsToMillis(longSpan)) {
      this.#end(meter, now);
      return;
    }
    meter.activeTicks++;
    this.#measure(meter);
    if (meter.start) this.#judgeStart(meter, meter.start, now);
    else this.#judgeGreed(meter, now);
  }

  #end(meter: Meter, now: number): void {
    if (meter.start) mistrust(meter, now);
    meter.active = meter.greedy = false;
    meter.rateBps = 0;
  }

  #measure(meter: Meter): void {
    const ticks = Math.min(SHORT_TICKS, meter.longTicks);
    const shortBps = bitsOf(this.#recent(meter, ticks)) / this.#times.span(ticks);
    const longBps = bitsOf(meter.longBytes) / this.#times.span(meter.longTicks);
    const twoFrames = (2 * FRAME_BITS) / this.#times.span(ticks);
    const difference = shortBps - longBps;
    if (Math.abs(difference) <= Math.max(DEPARTURE * longBps, twoFrames)) meter.departedTicks = 0;
    else
      meter.departedTicks =
        Math.sign(difference) * (Math.max(0, meter.departedTicks * Math.sign(difference)) + 1);
    // Not again while it settles: for traffic in bursts, this would never end.
    const patience = Math.max(
      DEPARTED_TICKS,
      (IDLE_PAUSES * meter.pauseMs) / secondsToMillis(this.#times.tickSeconds),
    );
    if (Math.abs(meter.departedTicks) >= patience && meter.settlingTicks === 0) meter.settlingTicks = 1;
    if (meter.settlingTicks > 0) {
      meter.settlingTicks--;
      meter.departedTicks = 0;
      meter.longTicks = ticks;
      meter.longBytes = this.#recent(meter, ticks);
      meter.rateBps = shortBps;
    } else {
      meter.rateBps = longBps;
    }
  }

  #judgeGreed(meter: Meter, now: number): void {
    const window = this.#greedTicks(meter.enforcedBps);
    const ticks = Math.min(window, meter.activeTicks);
    const bits = bitsOf(this.#recent(meter, ticks));
    const possible = meter.enforcedBps * this.#times.span(ticks);
    if (!meter.greedy) {
      // For links so slow that not even these frames fit into the window, the whole window counts.
      const least = Math.min(
        MIN_GREED_FRAMES * FRAME_BITS,
        GREEDY_FROM * meter.enforcedBps * window * this.#times.tickSeconds,
      );
      if (bits >= Math.max(GREEDY_FROM * possible, least)) becomeGreedy(meter);
      else this.#presume(meter, now);
    } else if (now >= meter.graceUntilMs) {
      // One frame, or one GSO packet, may be just outside of the window.
      const edge = Math.max(FRAME_BITS, meter.enforcedBps * GSO_SECONDS);
      const fills = bits + edge >= GREEDY_UNTIL * possible;
      // The announcement would contain the rate. As long as the rate fills the share, no other flow would gain from
      // it.
      meter.greedy = fills || meter.rateBps >= GREEDY_UNTIL * meter.enforcedBps;
    }
  }

  /** A flow that starts like a bulk transfer is presumed greedy until it no longer grows. */
  #presume(meter: Meter, now: number): void {
    if (meter.activeTicks > 2 || now < meter.mistrustedUntilMs) return;
    if (bitsOf(this.#recent(meter, 2)) < START_FRAMES * FRAME_BITS) return;
    const roundTripMs = this.#roundTripMs(meter.source, meter.destination);
    meter.start = new SlowStart(roundTripMs, secondsToMillis(this.#times.tickSeconds), LONG_TICKS);
    meter.greedy = true;
  }

  #judgeStart(meter: Meter, start: SlowStart, now: number): void {
    const verdict = start.judge(
      (ticks) => this.#recent(meter, ticks),
      (ticks) => bytesOf(GREEDY_FROM * meter.enforcedBps * this.#times.span(ticks)),
    );
    if (verdict === 'flat') {
      mistrust(meter, now);
      meter.greedy = false;
    } else if (verdict === 'fills') {
      becomeGreedy(meter);
      // The window still contains the time before, and a flow that has exceeded its share loses packets and pauses.
      meter.graceUntilMs = this.#graceUntil(meter.enforcedBps, now);
    }
  }

  #graceUntil(bps: number, now: number): number {
    return now + GRACE_MS + secondsToMillis(this.#greedTicks(bps) * this.#times.tickSeconds);
  }

  /** Over how many ticks a flow of this rate is judged to be greedy. */
  #greedTicks(bps: number): number {
    const ticks = Math.ceil((GREED_FRAMES * FRAME_BITS) / bps / this.#times.tickSeconds);
    return Math.min(Math.max(ticks, SHORT_TICKS), LONG_TICKS);
  }

  #recent(meter: Meter, ticks: number): number {
    if (ticks === SHORT_TICKS) return meter.shortBytes;
    let bytes = 0;
    for (let back = 0; back < ticks; back++)
      bytes += meter.ring[(this.#times.count - back + LONG_TICKS) % LONG_TICKS]!;
    return bytes;
  }
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** Because of its measured rate. */
function becomeGreedy(meter: Meter): void {
  meter.greedy = true;
  meter.start = undefined;
  meter.mistrustedUntilMs = Number.NEGATIVE_INFINITY;
}

function mistrust(meter: Meter, now: number): void {
  meter.start = undefined;
  meter.mistrustedUntilMs = now + MISTRUST_MS;
}

function idleMs(enforcedBps: number): number {
  return Math.min(MAX_IDLE_MS, Math.max(IDLE_MS, millisToSend(IDLE_FRAMES * FRAME_BITS, enforcedBps)));
}
