/** How long frames take at the links of a path that has overheads: few paths have one. Pure. */
import type { EncodedPacketImpairment } from '../../../../proto/impairment.ts';
import { bytesAtLink, CELL } from '../../../../proto/queue.ts';
import { nanosToMillis } from '../../../../proto/units.ts';

type Settings = Pick<
  EncodedPacketImpairment,
  'transmissionNsPerByte' | 'spacingNsPerByte' | 'overhead' | 'overheadNs' | 'cellNs'
>;

/** `undefined` if a frame's bytes alone decide. */
export function framingOf(settings: Settings): Framing | undefined {
  const { overhead, overheadNs = 0, cellNs = 0 } = settings;
  return overhead === undefined && overheadNs + cellNs === 0 ? undefined : new Framing(settings);
}

export class Framing {
  readonly #byteMs: number;
  readonly #overheadMs: number;
  readonly #cellMs: number;
  readonly #slowestMs: number;
  readonly #overhead: string | undefined;

  constructor(settings: Settings) {
    const {
      transmissionNsPerByte = 0,
      spacingNsPerByte = 0,
      overhead,
      overheadNs = 0,
      cellNs = 0,
    } = settings;
    this.#byteMs = nanosToMillis(transmissionNsPerByte);
    this.#overheadMs = nanosToMillis(overheadNs);
    this.#cellMs = nanosToMillis(cellNs);
    this.#slowestMs = nanosToMillis(spacingNsPerByte);
    this.#overhead = overhead;
  }

  /** At all links. */
  timeMs(bytes: number): number {
    const cells = this.#cellMs === 0 ? 0 : bytesAtLink(bytes, 'atm') / CELL.bytes;
    return bytes * this.#byteMs + this.#overheadMs + cells * this.#cellMs;
  }

  /** At the slowest one. */
  spacingMs(bytes: number): number {
    return bytesAtLink(bytes, this.#overhead) * this.#slowestMs;
  }
}
