/**
 * The flows of the last update, for finding what an update changes. Usually a few flows in a long list change. So the
 * beginnings and the ends of both lists are compared in arrays of numbers, without reading the data of each flow.
 */
import type { Flow } from './model.ts';

export class FlowList {
  #length = 0;
  #sources = new Int32Array(0);
  #destinations = new Int32Array(0);
  #indices = new Int32Array(0);
  #demands = new Float64Array(0);

  get length(): number {
    return this.#length;
  }

  /** How many flows at the beginning are between the same endpoints as those at the beginning of `flows`. */
  sameHead(flows: readonly Flow[]): number {
    const most = Math.min(this.#length, flows.length);
    let same = 0;
    while (same < most && this.#isSame(same, flows[same]!)) same++;
    return same;
  }

  /** How many at the end, beyond the first `head`. */
  sameTail(flows: readonly Flow[], head: number): number {
    const most = Math.min(this.#length, flows.length) - head;
    let same = 0;
    while (same < most && this.#isSame(this.#length - 1 - same, flows[flows.length - 1 - same]!)) same++;
    return same;
  }

  /** Replaces the list by `flows`. Returns the places outside of the middle at which the demand changed. */
  replace(flows: readonly Flow[], head: number, tail: number): number[] {
    const shift = flows.length - this.#length;
    if (flows.length > this.#sources.length) this.#enlarge(2 * flows.length);
    for (const array of [this.#sources, this.#destinations, this.#indices, this.#demands])
      array.copyWithin(this.#length - tail + shift, this.#length - tail, this.#length);
    this.#length = flows.length;
    const others: number[] = [];
    for (let at = 0; at < flows.length; at++) {
      const { source, destination, index = 0, demandBps } = flows[at]!;
      if (at < head || at >= flows.length - tail) {
        if (this.#demands[at] === demandBps) continue;
        others.push(at);
      } else {
        this.#sources[at] = source;
        this.#destinations[at] = destination;
        this.#indices[at] = index;
      }
      this.#demands[at] = demandBps;
    }
    return others;
  }

  #isSame(at: number, { source, destination, index = 0 }: Flow): boolean {
    return (
      this.#sources[at] === source && this.#destinations[at] === destination && this.#indices[at] === index
    );
  }

  #enlarge(room: number): void {
    const [sources, destinations, demands] = [this.#sources, this.#destinations, this.#demands];
    const indices = this.#indices;
    this.#sources = new Int32Array(room);
    this.#destinations = new Int32Array(room);
    this.#indices = new Int32Array(room);
    this.#indices.set(indices);
    this.#demands = new Float64Array(room);
    this.#sources.set(sources);
    this.#destinations.set(destinations);
    this.#demands.set(demands);
  }
}
