/** A model of loss, packet by packet, as net/sched/sch_netem.c has it (loss_4state, loss_gilb_ell). Pure, without allocation. */
import { type FourStates, lossModelOf, type TwoStates } from '../../../../proto/models.ts';

/** Seeded random numbers: 0 ≤ x < 1, and standard normal. */
export interface Draws {
  uniform(): number;
  normal(): number;
}

export interface LossProcess {
  /** Whether the next packet is lost. */
  isLost(random: Draws): boolean;
}

/** `model`: a text as of `parseLossModel`. */
export function lossProcess(model: string): LossProcess {
  const parameters = lossModelOf(model);
  if (parameters.kind === 'two states') return new TwoStateLoss(parameters);
  return parameters.kind === 'four states'
    ? new FourStateLoss(parameters)
    : new EveryNthLoss(parameters.packets);
}

class TwoStateLoss implements LossProcess {
  readonly #model: TwoStates;
  #isBad = false;

  constructor(model: TwoStates) {
    this.#model = model;
  }

  isLost(random: Draws): boolean {
    const { p, r, h, k } = this.#model;
    const passing = this.#isBad ? h : k;
    if (random.uniform() < (this.#isBad ? r : p)) this.#isBad = !this.#isBad;
    return passing < 1 && random.uniform() >= passing;
  }
}

/** The states as the paper numbers them. */
const GAP = 1;
const PASSES_IN_BURST = 2;
const LOST_IN_BURST = 3;
const LOST_ALONE = 4;

class FourStateLoss implements LossProcess {
  readonly #model: FourStates;
  #state = GAP;

  constructor(model: FourStates) {
    this.#model = model;
  }

  isLost(random: Draws): boolean {
    this.#state = this.#next(random.uniform());
    return this.#state >= LOST_IN_BURST;
  }

  #next(drawn: number): number {
    const { p13, p31, p32, p23, p14 } = this.#model;
    switch (this.#state) {
      case GAP:
        return drawn < p14 ? LOST_ALONE : drawn < p14 + p13 ? LOST_IN_BURST : GAP;
      case PASSES_IN_BURST:
        return drawn < p23 ? LOST_IN_BURST : PASSES_IN_BURST;
      case LOST_IN_BURST:
        return drawn < p32 ? PASSES_IN_BURST : drawn < p32 + p31 ? GAP : LOST_IN_BURST;
      default:
        return GAP;
    }
  }
}

class EveryNthLoss implements LossProcess {
  readonly #packets: number;
  #passed = 0;

  constructor(packets: number) {
    this.#packets = packets;
  }

  isLost(): boolean {
    if (++this.#passed < this.#packets) return false;
    this.#passed = 0;
    return true;
  }
}
