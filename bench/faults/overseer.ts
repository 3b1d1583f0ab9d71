/** One process that sees everything: the same topology, commands and flows, and shares computed from nothing. */
import { flowShares } from '../../agent/share/flow-shares.ts';
import { Epoch } from '../../agent/tick/epoch.ts';
import { shareFlow } from '../../agent/tick/tick.ts';
import { Player } from '../../agent/timeline/player.ts';
import type { Command } from '../../proto/control.ts';
import { micros } from '../../proto/units.ts';
import type { ViewFlow, ViewShare } from '../../proto/view.ts';
import type { Path, Topology } from '../../topology/model.ts';

export class Overseer {
  readonly #player: Player;
  readonly #hostOf: ReadonlyMap<string, string>;
  #epoch: Epoch;

  /** `hostOf`: by the names of the endpoints. */
  constructor(topology: Topology, hostOf: ReadonlyMap<string, string>) {
    // A command may find nothing to change; agents say so as well.
    this.#player = new Player(topology, () => {});
    this.#hostOf = hostOf;
    this.#player.advance(micros(0));
    this.#epoch = new Epoch(this.#player.graph);
  }

  hear(commands: readonly Command[], now: number): void {
    if (this.#player.commands(commands, micros(Math.max(0, Math.floor(now)))).graph) this.#renew();
  }

  /** By host. `undefined`: at this time it is another epoch. */
  shares(
    flows: readonly ViewFlow[],
    { now, epoch }: { readonly now: number; readonly epoch: number },
  ): Map<string, ViewShare[]> | undefined {
    if (this.#player.advance(micros(Math.max(0, Math.floor(now)))).graph) this.#renew();
    if (this.#player.epoch !== epoch) return undefined;
    const { endpoints } = this.#epoch.graph;
    const numberOf = new Map(endpoints.map((name, number) => [name, number]));
    const known = flows.map(({ from, to, rateBps, greedy }) =>
      shareFlow(numberOf.get(from)!, numberOf.get(to)!, rateBps, greedy),
    );
    const shares = flowShares(this.#epoch.network, known).map(
      ({ source, destination, rateBps, ceilingBps }) => ({
        from: endpoints[source]!,
        to: endpoints[destination]!,
        rateBps: orNull(rateBps),
        ceilingBps: orNull(ceilingBps),
      }),
    );
    return Map.groupBy(shares, ({ from }) => this.#hostOf.get(from)!);
  }

  /** As of the last question. */
  path(from: string, to: string): Path | undefined {
    const { endpoints } = this.#epoch.graph;
    return this.#epoch.path(endpoints.indexOf(from), endpoints.indexOf(to));
  }

  #renew(): void {
    this.#epoch = new Epoch(this.#player.graph, this.#epoch);
  }
}

const orNull = (rate: number): number | null => (Number.isFinite(rate) ? rate : null);
