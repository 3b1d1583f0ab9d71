/** One process that knows everything: the same topology and commands, and shares computed from scratch. */

import { Epoch } from '../../agent/epoch/epoch.ts';
import { flowShares } from '../../agent/share/flow-shares.ts';
import { shareFlow } from '../../agent/tick/tick.ts';
import { Player } from '../../agent/timeline/player.ts';
import type { Command } from '../../proto/command.ts';
import { type Micros, micros } from '../../proto/units.ts';
import type { ViewFlow, ViewShare } from '../../proto/view.ts';
import type { Path, Topology } from '../../topology/model/model.ts';

/** Late agents may still be in one of these. */
const KEPT_EPOCHS = 8;

export class Overseer {
  readonly #player: Player;
  /** The latest epochs by number. */
  readonly #epochs = new Map<number, Epoch>();
  #known = 0;

  constructor(topology: Topology) {
    // A command may change nothing; agents report that as well.
    this.#player = new Player(topology, () => {});
    this.#player.advance(micros(0));
    this.#keep();
  }

  /** Advances to `now`, microseconds since the start, with all commands so far. */
  advance(commands: readonly Command[], now: number): void {
    const until = micros(Math.max(0, Math.floor(now)));
    const isNews = commands.length !== this.#known;
    this.#known = commands.length;
    const before = this.#player.epoch;
    const changes = isNews ? this.#player.commands(commands, this.#soon(until)) : undefined;
    // A late command changes earlier states, and epochs of commands that are left out count no more.
    if (changes?.graph || this.#player.epoch < before) this.#epochs.clear();
    for (let at = this.#player.nextAt; at !== undefined && at <= until; at = this.#player.nextAt) {
      this.#player.advance(at);
      this.#keep();
    }
    this.#player.advance(until);
    this.#keep();
  }

  /** How many commands are kept of all that there were. */
  get commands(): number {
    return this.#player.commandCount;
  }

  /** `undefined`: the current epoch is another one. */
  shares(flows: readonly ViewFlow[], number: number): ViewShare[] | undefined {
    const epoch = this.#epochs.get(number);
    if (!epoch) return undefined;
    const { endpoints } = epoch.graph;
    const numberOf = new Map(endpoints.map((name, index) => [name, index]));
    const known = flows.map(({ from, to, rateBps, greedy }) =>
      shareFlow(numberOf.get(from)!, numberOf.get(to)!, rateBps, greedy),
    );
    return flowShares(epoch.network, known).map(({ source, destination, rateBps, ceilingBps }) => ({
      from: endpoints[source]!,
      to: endpoints[destination]!,
      rateBps: orNull(rateBps),
      ceilingBps: orNull(ceilingBps),
    }));
  }

  path(number: number, from: string, to: string): Path | undefined {
    const epoch = this.#epochs.get(number);
    const endpoints = epoch?.graph.endpoints ?? [];
    return epoch?.path(endpoints.indexOf(from), endpoints.indexOf(to));
  }

  /** Stops before the next event, so that its epoch is kept as well. */
  #soon(until: Micros): Micros {
    const next = this.#player.nextAt ?? until;
    return micros(Math.min(until, Math.max(0, next - 1)));
  }

  #keep(): void {
    const { epoch, graph } = this.#player;
    if (!this.#epochs.has(epoch)) this.#epochs.set(epoch, new Epoch(graph));
    for (const number of this.#epochs.keys()) {
      if (this.#epochs.size <= KEPT_EPOCHS) break;
      this.#epochs.delete(number);
    }
  }
}

const orNull = (rate: number): number | null => (Number.isFinite(rate) ? rate : null);
