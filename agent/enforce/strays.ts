/** What endpoints have sent past their queue, and was dropped where their links end: told per endpoint while there is any. */
import { Losses } from './losses.ts';

const CONSEQUENCE =
  "had not passed the endpoint's queue, and were dropped where its link ends (PACKET_QDISC_BYPASS, AF_XDP, or a queue in the place of netfold's)";

export class Strays {
  /** By endpoint's number. */
  readonly #losses = new Map<number, Losses>();

  /** In words. `names`: of endpoints, by number. */
  problems(names: readonly string[]): string[] {
    return [...this.#losses].flatMap(([endpoint, { problem }]) =>
      problem === undefined ? [] : [`${names[endpoint]}: ${problem}`],
    );
  }

  /** To be called every `LATENESS_MS`, with the numbers since the start; endpoints without any may be absent. */
  observe(totals: ReadonlyMap<number, number>): void {
    for (const endpoint of totals.keys())
      if (!this.#losses.has(endpoint)) this.#losses.set(endpoint, new Losses(CONSEQUENCE));
    for (const [endpoint, losses] of this.#losses) losses.observe(totals.get(endpoint) ?? 0);
  }
}
