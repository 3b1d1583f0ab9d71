/** What the sources of a host have sent and received: in memory that the agent's main thread and the thread of the traffic share. */

/** Numbers of each source. */
const FIELDS = [
  'sent',
  'sentBytes',
  'refused',
  'late',
  'received',
  'receivedBytes',
  'delaySumMs',
  'delayMostMs',
] as const;
type Field = (typeof FIELDS)[number];

export class Counters {
  readonly memory: SharedArrayBuffer;
  readonly #numbers: Float64Array;

  /** `memory`: of another thread's counters. */
  constructor(sources: number, memory?: SharedArrayBuffer) {
    this.memory = memory ?? new SharedArrayBuffer(sources * FIELDS.length * Float64Array.BYTES_PER_ELEMENT);
    this.#numbers = new Float64Array(this.memory);
  }

  /** Datagrams, or bytes of a TCP connection. */
  sent(source: number, bytes: number): void {
    this.#numbers[this.#at(source, 'sent')]! += 1;
    this.#numbers[this.#at(source, 'sentBytes')]! += bytes;
  }

  /** The endpoint's queue had no room. */
  refused(source: number): void {
    this.#numbers[this.#at(source, 'refused')]! += 1;
  }

  /** Not sent, since the thread was not there when they were due. */
  late(source: number, datagrams: number): void {
    this.#numbers[this.#at(source, 'late')]! += datagrams;
  }

  received(source: number, bytes: number, delayMs: number): void {
    const most = this.#at(source, 'delayMostMs');
    this.#numbers[this.#at(source, 'received')]! += 1;
    this.#numbers[this.#at(source, 'receivedBytes')]! += bytes;
    this.#numbers[this.#at(source, 'delaySumMs')]! += delayMs;
    if (delayMs > this.#numbers[most]!) this.#numbers[most] = delayMs;
  }

  get(source: number, field: Field): number {
    return this.#numbers[this.#at(source, field)]!;
  }

  #at(source: number, field: Field): number {
    return source * FIELDS.length + FIELDS.indexOf(field);
  }
}
