/**
 * Light probes of netfold's own on paths that carry traffic, or did a moment ago, and that no TCP measures, or where TCP has measured
 * too much: an echo request from an endpoint to the other, which the kernel there answers. They are ICMP with an identifier and a text
 * of netfold's, and cost a path no more than the bounds below, which docs/fidelity.md tells.
 */
import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import { bitsOf, millisToSend } from '../../proto/units.ts';
import type { ProbesTold } from '../../proto/view.ts';
import type { Path } from '../../topology/model/model.ts';
import type { CauseCode, Symptom } from './causes.ts';
import type { Echoes, EchoOwner } from './echoes.ts';
import { type Expected, ProbeOutcomes } from './probe-outcomes.ts';
import { isSamePath } from './proofs.ts';

/** Of all paths together. */
export const MOST_A_TURN = 20;
/** Of the budget, this part is for paths of which something was odd: they are probed while others wait. */
const RESERVED = 0.5;
/** A path is probed no more often than this, and up to a fifth sooner, so as not to be in step with applications … */
const LEAST_INTERVAL_MS = 1000;
const SOONER = 0.2;
/** … and so seldom that probes use no more of its bandwidth: half of what makes a pair a flow (agent/usage/flow-meter.ts). */
const MOST_PART = 0.0005;
/** After one that was odd, the next ones come sooner, until one is as it should be or the path is named … */
const ODD_INTERVAL_MS = 200;
/** … sooner still where TCP uses the path as well, and more of them are needed … */
const BESIDE_TCP_INTERVAL_MS = 100;
/** … with more of the bandwidth, which has to stay below 0.5 %. */
const MOST_PART_WHEN_ODD = 0.004;
/** Of an odd path: more say nothing that these don't. */
const MOST_UNDER_WAY = 5;
/** An Ethernet frame with one. */
export const PROBE_FRAME_BYTES = 66;
/** After a change of the path, it is in force everywhere within this time, or told of as late. */
const SETTLED_MS = 500;
/** Losses that are rarer than this are odd before they are certain. */
const RARE_LOSS = 0.05;

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

interface Probed {
  target: Target;
  readonly outcomes: ProbeOutcomes;
  readonly owner: EchoOwner;
  /** Of the next one. */
  dueAt: number;
  isOdd: boolean;
  underWay: number;
  /** At the last look. */
  wasQuiet: boolean;
  /** What it was named for when that was looked at last. */
  code: CauseCode | undefined;
}

export class Probing {
  readonly #echoes: Echoes;
  /** Those that were probed longest ago come first. */
  readonly #probed = new Map<number, Probed>();
  /** Those that are odd; the first of them is to be named first. */
  readonly #odd = new Set<Probed>();
  #isNew = false;

  constructor(echoes: Echoes) {
    this.#echoes = echoes;
  }

  /** How many paths are probed. */
  get size(): number {
    return this.#probed.size;
  }

  ofPath(key: number): ProbesTold | undefined {
    return this.#probed.get(key)?.outcomes.told;
  }

  /** When the last answer came; `undefined`: there was none lately. */
  answeredAt(key: number): number | undefined {
    return this.#probed.get(key)?.outcomes.answeredAt;
  }

  /** Whether the last probes of this path were not as they should be. */
  isOdd(key: number): boolean {
    return this.#probed.get(key)?.isOdd ?? false;
  }

  /** Whether probes of this path take too long now. */
  isLong(key: number): boolean {
    return this.#probed.get(key)?.code === 'RTT_LONG';
  }

  /** The paths to be probed from now on. A path that is another than before begins anew. Returns what was seen of them. */
  look(now: number, targets: readonly Target[]): Symptom[] {
    const wanted = new Map(targets.map((target) => [target.key, target]));
    for (const key of this.#probed.keys()) if (!wanted.has(key)) this.#probed.delete(key);
    for (const target of targets) this.#aim(target, now);
    for (const probed of this.#odd) if (!this.#isHere(probed)) this.#odd.delete(probed);
    return [...this.#probed.values()].flatMap((probed) => this.#see(probed));
  }

  #aim(target: Target, now: number): void {
    const known = this.#probed.get(target.key);
    const { isQuiet } = target.trip;
    if (known && target.ways.every((way, at) => isSamePath(way, known.target.ways[at]!))) {
      const isSuspected = target.isBesideTcp === true && known.target.isBesideTcp !== true;
      // While no flow was there, perhaps nobody was who answers.
      const isBack = known.target.isOver === true && target.isOver !== true;
      known.target = target;
      if (!isQuiet || !known.wasQuiet || isBack) known.outcomes.forgetQueued();
      known.wasQuiet = isQuiet;
      if (isSuspected) this.#setOdd(known, true, now);
      return;
    }
    const probed: Probed = {
      ...{ target, outcomes: new ProbeOutcomes(), dueAt: now + SETTLED_MS, wasQuiet: isQuiet },
      ...{ isOdd: false, underWay: 0, code: undefined },
      owner: {
        note: (outcome, at) => this.#note(probed, outcome, at),
        forget: () => {
          probed.underWay--;
        },
        overdue: (at) => this.#overdue(probed, at),
      },
    };
    this.#probed.set(target.key, probed);
    // TCP has used it for long enough: it has settled.
    if (target.isBesideTcp) this.#setOdd(probed, true, now);
  }

  #see(probed: Probed): Symptom[] {
    const symptoms = probed.outcomes.symptoms(probed.target.name, probed.target);
    probed.code = symptoms[0]?.code;
    return symptoms;
  }

  /** Of a path that has changed meanwhile, an old answer says nothing. */
  #isHere(probed: Probed): boolean {
    return this.#probed.get(probed.target.key) === probed;
  }

  /**
   * To be called every turn. `left`: the part of the budget that is left; odd paths use the rest when others have to wait. Returns how
   * many were sent, and whether others had to wait.
   */
  turn(now: number, left: number): { readonly sent: number; readonly isBehind: boolean } {
    let sent = 0;
    for (const probed of this.#odd) {
      if (probed.dueAt > now || probed.underWay >= MOST_UNDER_WAY) continue;
      if (left <= 0 || sent >= MOST_A_TURN) return { sent, isBehind: true };
      sent++;
      this.#send(probed, now);
    }
    for (const [key, probed] of this.#probed) {
      if (probed.isOdd || probed.dueAt > now) continue;
      if (left <= RESERVED || sent >= MOST_A_TURN) return { sent, isBehind: true };
      sent++;
      this.#probed.delete(key);
      this.#probed.set(key, probed);
      this.#send(probed, now);
    }
    return { sent, isBehind: false };
  }

  #send(probed: Probed, now: number): void {
    const { from, address, waitMs } = probed.target;
    probed.dueAt = now + intervalOf(probed) * (1 - SOONER * this.#echoes.spread);
    const { owner } = probed;
    if (this.#echoes.send(from, address, { waitMs, now, owner })) probed.underWay++;
  }

  #note(probed: Probed, outcome: number | undefined, now: number): void {
    probed.underWay--;
    if (!this.#isHere(probed)) return;
    probed.outcomes.note(outcome, now);
    const before = probed.code;
    this.#see(probed);
    if (probed.code !== undefined && probed.code !== before) this.#isNew = true;
    this.#setOdd(probed, probed.code === undefined && probed.outcomes.isOdd(probed.target), now);
  }

  #overdue(probed: Probed, now: number): void {
    const { trip, loss, isBesideTcp, isOver } = probed.target;
    if (
      isOver ||
      !this.#isHere(probed) ||
      probed.code !== undefined ||
      probed.outcomes.told.latestMs === null
    )
      return;
    if (trip.isQuiet && !isBesideTcp && loss <= RARE_LOSS) this.#setOdd(probed, true, now);
  }

  #setOdd(probed: Probed, isOdd: boolean, now: number): void {
    if (probed.isOdd === isOdd) return;
    probed.isOdd = isOdd;
    if (isOdd) {
      this.#odd.add(probed);
      probed.dueAt = Math.min(probed.dueAt, now + soonerOf(probed));
    } else {
      this.#odd.delete(probed);
      probed.dueAt = now + intervalOf(probed);
    }
  }

  /** Whether a path got a symptom since the last call, of which a look has not told. */
  takeNews(): boolean {
    const isNew = this.#isNew;
    this.#isNew = false;
    return isNew;
  }
}

const PROBE_BITS = bitsOf(PROBE_FRAME_BYTES);

/** Between two probes of a path, ms. */
function intervalOf({ target, isOdd }: Probed): number {
  const { bandwidthBps, isBesideTcp } = target;
  const odd = isBesideTcp ? BESIDE_TCP_INTERVAL_MS : ODD_INTERVAL_MS;
  const [least, part] = isOdd ? [odd, MOST_PART_WHEN_ODD] : [LEAST_INTERVAL_MS, MOST_PART];
  return Math.max(least, millisToSend(PROBE_BITS / part, bandwidthBps));
}

/** After the last one, which may just have been sent: no sooner than its bandwidth allows. */
const soonerOf = (probed: Probed): number =>
  millisToSend(PROBE_BITS / MOST_PART_WHEN_ODD, probed.target.bandwidthBps);
