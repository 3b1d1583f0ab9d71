/**
 * All that this agent probes, in turns: paths, and the real network to other hosts. Turns take a bounded part of a processor's time,
 * which they measure: when it is used up, what is to be probed waits, and status says so.
 */

import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import type { ProbesStatus } from '../../proto/status.ts';
import { ratio } from '../../proto/units.ts';
import type { Timers } from '../clock/clock.ts';
import { Echoes, type EchoPort, TURN_MS } from './echoes.ts';
import { HostProbes } from './host-probes.ts';
import { Probing } from './probing.ts';
import type { UnderlayLoss } from './underlay-loss.ts';
import { WorkBudget } from './work-budget.ts';

/** Of one processor, so that two agents with a hundred probed paths each take less than 1 % together. */
const BUDGET = ratio(0.004);

/** Since the start. */
export interface ProbesCounted {
  readonly sent: number;
  readonly lost: number;
  /** Processor time of all turns, and of choosing the paths. */
  readonly workMs: number;
  readonly turns: number;
  /** Turns in which something had to wait. */
  readonly behind: number;
  /** Now. */
  readonly paths: number;
}

export class Probes {
  readonly paths: Probing;
  readonly hosts: HostProbes;
  readonly #port: EchoPort;
  readonly #echoes: Echoes;
  readonly #loss: UnderlayLoss;
  readonly #budget = new WorkBudget(BUDGET);
  #turns = 0;
  #behind = 0;
  /** At the last look; sent: on paths. */
  #pace: { at: number; sent: number; turns: number; behind: number } | undefined;
  #told: Pick<ProbesStatus, 'everyMs' | 'behind'> = { everyMs: null, behind: false };
  #pathsSent = 0;
  #cancel: () => void = () => {};

  constructor(port: EchoPort, loss: UnderlayLoss) {
    this.#port = port;
    this.#loss = loss;
    this.#echoes = new Echoes(port);
    this.paths = new Probing(this.#echoes);
    this.hosts = new HostProbes(this.#echoes, loss);
  }

  /** `onTurn`: called after each; `isNews`: something was found that a look should tell soon. */
  start(
    timers: Timers,
    now: () => number,
    { attempt, onTurn }: { attempt: (turn: () => void) => void; onTurn: (isNews: boolean) => void },
  ): void {
    this.#cancel = timers.every(TURN_MS, () => attempt(() => onTurn(this.turn(now()))));
  }

  stop(): void {
    this.#cancel();
    this.#port.close();
  }

  get measuresBack(): boolean {
    return this.#port.measuresBack;
  }

  get counted(): ProbesCounted {
    const { sent, lost } = this.#echoes.counted;
    const [turns, behind] = [this.#turns, this.#behind];
    return { sent, lost, workMs: this.#budget.usedMs, turns, behind, paths: this.paths.size };
  }

  /** To be called every `TURN_MS`. Returns whether there is news. */
  turn(now: number): boolean {
    this.#turns++;
    this.#measured(() => {
      const left = this.#budget.left(now);
      this.#echoes.collect(now);
      if (left > 0) this.hosts.turn(now);
      const { sent, isBehind } = this.paths.turn(now, left);
      this.#pathsSent += sent;
      if (isBehind) this.#behind++;
    });
    const news = [this.paths.takeNews(), this.#loss.takeNews(), this.hosts.takeNews()];
    return news.includes(true);
  }

  /** To be called at each look: what this takes is part of the budget. */
  look<T>(now: number, local: readonly LocalEndpoint[], choose: (paths: Probing) => T): T {
    return this.#measured(() => {
      this.#port.keep(local);
      this.#keepPace(now);
      return choose(this.paths);
    });
  }

  #keepPace(now: number): void {
    const [before, sent, turns, behind] = [this.#pace, this.#pathsSent, this.#turns, this.#behind];
    this.#pace = { at: now, sent, turns, behind };
    if (!before || now <= before.at) return;
    const grown = sent - before.sent;
    this.#told = {
      everyMs: grown > 0 ? (this.paths.size * (now - before.at)) / grown : null,
      // Now and then, more are due than a turn sends.
      behind: behind - before.behind > (turns - before.turns) / 2,
    };
  }

  status(): ProbesStatus {
    const { paths, sent, lost, workMs } = this.counted;
    return { paths, sent, lost, workMs, budget: BUDGET, ...this.#told };
  }

  #measured<T>(work: () => T): T {
    const before = this.#port.usedMs();
    try {
      return work();
    } finally {
      this.#budget.spend(this.#port.usedMs() - before);
    }
  }
}
