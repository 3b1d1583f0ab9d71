/** What a path does to single packets besides delay and independent loss. Few paths have one. Pure. */
import type { EncodedPacketImpairment } from '../../../../proto/impairment.ts';
import { type Draws, type LossProcess, lossProcess } from './loss-process.ts';
import { RuleDelays } from './rule-delays.ts';
import { SlotClock } from './slot-clock.ts';

type Settings = Pick<
  EncodedPacketImpairment,
  'lossModel' | 'duplicate' | 'corrupt' | 'reorder' | 'reorderDistance' | 'slots' | 'ruleDelays'
>;

/** `undefined` if the path has none. `before`: of the same addresses; its state goes on where the settings are the same. */
export function treatmentOf(settings: Settings, before: Treatment | undefined): Treatment | undefined {
  const { lossModel, duplicate = 0, corrupt = 0, reorder = 0, slots, ruleDelays } = settings;
  if ([lossModel, slots, ruleDelays].every((one) => one === undefined) && duplicate + corrupt + reorder === 0)
    return undefined;
  const key = [lossModel, duplicate, corrupt, reorder, settings.reorderDistance, slots, ruleDelays].join('|');
  return before?.key === key ? before : new Treatment(settings, key);
}

/**
 * How long a packet waits for others to overtake it, after its own time. On a path with fewer packets it is late, but not
 * overtaken.
 */
export const LONGEST_ASIDE_MS = 50;
/** Before its time, a packet may be on its way already: releases within a quarter of a millisecond are done together. */
const RELEASED_EARLY_MS = 1;

export class Treatment {
  readonly key: string;
  readonly duplicate: number;
  readonly corrupt: number;
  readonly reorder: number;
  /** How many packets overtake one that is reordered; 0: it is not delayed, and overtakes those before. */
  readonly distance: number;
  readonly slots: SlotClock | undefined;
  readonly delays: RuleDelays | undefined;
  readonly #losses: LossProcess | undefined;
  /** The packet that others overtake; its id is -1 if there is none. */
  asideId = -1;
  asideMark = 0;
  /** When it leaves at the latest, and how many have yet to overtake it. */
  #asideUntil = 0;
  #asideLeft = 0;

  constructor(settings: Settings, key: string) {
    const { lossModel, duplicate = 0, corrupt = 0, reorder = 0, reorderDistance = 0, slots } = settings;
    const { ruleDelays } = settings;
    this.key = key;
    this.duplicate = duplicate;
    this.corrupt = corrupt;
    this.reorder = reorder;
    this.distance = reorderDistance;
    this.slots = slots === undefined ? undefined : new SlotClock(slots);
    this.delays = ruleDelays === undefined ? undefined : new RuleDelays(ruleDelays);
    this.#losses = lossModel === undefined ? undefined : lossProcess(lossModel);
  }

  /** Whether packets must be seen one by one, and not as a run of frames. */
  get needsFrames(): boolean {
    return this.#losses !== undefined || this.duplicate + this.corrupt + this.reorder > 0;
  }

  /** Whether the content of packets is needed. */
  get needsContent(): boolean {
    return this.duplicate + this.corrupt > 0;
  }

  /** Whether packets wait, also on a path without delay. */
  get holds(): boolean {
    return this.slots !== undefined || this.distance > 0;
  }

  isLost(random: Draws): boolean {
    return this.#losses?.isLost(random) ?? false;
  }

  /** Whether the next packet leaves its place. While others overtake one, none does, so that it is exactly so many. */
  isReordered(random: Draws): boolean {
    return this.reorder > 0 && this.asideId < 0 && random.uniform() < this.reorder;
  }

  /** When a packet that leaves its place leaves: at once, or when others have overtaken it, at the latest at the time given. */
  displace(id: number, mark: number, arrivedMs: number, dueMs: number): number {
    if (this.distance === 0) return arrivedMs;
    this.asideId = id;
    this.asideMark = mark;
    this.#asideLeft = this.distance;
    this.#asideUntil = dueMs + LONGEST_ASIDE_MS;
    return this.#asideUntil;
  }

  /** To be called for each packet that keeps its place, with the time when it leaves: true if the one aside leaves after it. */
  isOvertaken(leavesMs: number): boolean {
    if (this.asideId < 0) return false;
    if (leavesMs < this.#asideUntil - RELEASED_EARLY_MS) return --this.#asideLeft === 0;
    this.asideId = -1;
    return false;
  }
}
