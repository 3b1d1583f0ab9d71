/** Vertices by gain, the greatest first. A vertex may be in it several times; who takes one out looks whether it still holds. */
export class GainHeap {
  readonly #vertices: number[] = [];
  readonly #gains: number[] = [];

  get isEmpty(): boolean {
    return this.#vertices.length === 0;
  }

  push(vertex: number, gain: number): void {
    const vertices = this.#vertices;
    const gains = this.#gains;
    let at = vertices.length;
    vertices.push(vertex);
    gains.push(gain);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(gain, vertex, gains[parent]!, vertices[parent]!)) break;
      vertices[at] = vertices[parent]!;
      gains[at] = gains[parent]!;
      at = parent;
    }
    vertices[at] = vertex;
    gains[at] = gain;
  }

  /** Of one that is not empty. */
  pop(): { vertex: number; gain: number } {
    const top = { vertex: this.#vertices[0]!, gain: this.#gains[0]! };
    const vertex = this.#vertices.pop()!;
    const gain = this.#gains.pop()!;
    if (this.#vertices.length > 0) this.#sink(vertex, gain);
    return top;
  }

  #sink(vertex: number, gain: number): void {
    const vertices = this.#vertices;
    const gains = this.#gains;
    const { length } = vertices;
    let at = 0;
    for (let child = 1; child < length; child = 2 * at + 1) {
      const right = child + 1;
      if (right < length && isBefore(gains[right]!, vertices[right]!, gains[child]!, vertices[child]!))
        child = right;
      if (!isBefore(gains[child]!, vertices[child]!, gain, vertex)) break;
      vertices[at] = vertices[child]!;
      gains[at] = gains[child]!;
      at = child;
    }
    vertices[at] = vertex;
    gains[at] = gain;
  }
}

/** Ties go to the lower number, so that the result depends on the graph alone. */
function isBefore(gain: number, vertex: number, otherGain: number, other: number): boolean {
  return gain > otherGain || (gain === otherGain && vertex < other);
}
