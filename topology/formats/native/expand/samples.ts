/**
 * `distribution: FILE`: the shape of jitter from a file of samples → `quantiles`. Files of netem (`.dist`: whole numbers, comments
 * with #, as /usr/lib/tc has them) and CSV with one sample a line. Only the shape counts: how large the jitter is, `jitter` says,
 * so samples may have any unit.
 */
import { FEWEST_QUANTILES } from '../../../../proto/models.ts';
import type { Findings } from '../../../model/diagnostics.ts';
import { quote } from '../../../model/diagnostics.ts';
import type { Files } from './files.ts';
import { fieldOf, inEachDirection, type Origin, placeOf } from './origins.ts';

/** Parts of equal probability that are kept: what is seldomer than one of 129 is a part of the outermost. */
const PARTS = 129;
/** Points at which each part is looked at for its mean. */
const POINTS = 16;
/** Digits after the point, of deviations. */
const DIGITS = 5;
const MOST_SAMPLES = 1_000_000;
const FILE = /\.\w{1,8}$/;

export class Samples {
  readonly #files: Files;
  readonly #findings: Findings;
  /** File → its quantiles; `undefined`: it has none, which was told. */
  readonly #known = new Map<string, string | undefined>();

  constructor(files: Files, findings: Findings) {
    this.#files = files;
    this.#findings = findings;
  }

  /**
   * Replaces the files in a link's fields and in those of its directions. `originOf`: of a field of the link. `fileOf`: the file
   * in which something stands.
   */
  resolve(
    link: Record<string, unknown>,
    originOf: (key: string) => Origin,
    fileOf: (origin: Origin) => string,
  ): void {
    inEachDirection(link, 'distribution', originOf, (fields, origin) =>
      this.#replace(fields, origin, fileOf),
    );
  }

  #replace(fields: Record<string, unknown>, origin: Origin, fileOf: (origin: Origin) => string): void {
    const { distribution } = fields;
    if (typeof distribution !== 'string' || !FILE.test(distribution)) return;
    const path = this.#files.pathOf(distribution, fileOf(origin), origin);
    if (path === undefined) return;
    if (!this.#known.has(path)) this.#known.set(path, this.#read(path, origin));
    const quantiles = this.#known.get(path);
    // What is wrong with the file was told; a second message about the name would not help.
    delete fields.distribution;
    if (quantiles !== undefined) fields.quantiles = quantiles;
  }

  #read(path: string, origin: Origin): string | undefined {
    const found = this.#files.read(path, origin);
    if (!found) return undefined;
    const samples = this.#numbers(found.text, path);
    if (!samples) return undefined;
    const problem =
      samples.length < FEWEST_QUANTILES
        ? `has ${samples.length} samples, fewer than ${FEWEST_QUANTILES}`
        : samples[0] === samples.at(-1)
          ? 'has samples that are all the same'
          : undefined;
    if (problem === undefined) return quantilesText(samples);
    const remedy = 'write one delay on each line';
    this.#findings.error(
      'VALUE_INVALID',
      placeOf(origin),
      fieldOf(origin),
      `${quote(path)} ${problem}`,
      remedy,
    );
    return undefined;
  }

  /** Ascending. */
  #numbers(text: string, file: string): Float64Array | undefined {
    const numbers: number[] = [];
    let line = 0;
    for (const row of text.split('\n')) {
      line++;
      const words = row
        .replace(/#.*/, '')
        .trim()
        .split(/[\s;]+/);
      for (const word of words) {
        if (word === '') continue;
        const value = /^-?(?:\d{1,15}(?:\.\d{0,15})?|\.\d{1,15})$/.test(word) ? Number(word) : Number.NaN;
        if (!Number.isNaN(value)) numbers.push(value);
        else if (numbers.length > 0 || line > 1) return this.#refuse(file, line, word);
      }
      if (numbers.length > MOST_SAMPLES) return this.#refuse(file, line, 'one sample more');
    }
    return Float64Array.from(numbers).sort();
  }

  #refuse(file: string, line: number, word: string): undefined {
    this.#findings.error(
      'VALUE_INVALID',
      { line, column: 1, file },
      'distribution',
      `${quote(word)} is no sample of a delay`,
      `write plain numbers, one a line, at most ${MOST_SAMPLES}; only the first line may be a heading`,
    );
    return undefined;
  }
}

/** `samples` ascend and are not all the same. Mean 0 and deviation 1, which keeps the digits for the shape. */
function quantilesText(samples: Float64Array): string {
  const values = Float64Array.from({ length: PARTS }, (_, part) => {
    let sum = 0;
    for (let point = 0; point < POINTS; point++)
      sum += between(samples, (part + (point + 0.5) / POINTS) / PARTS);
    return sum / POINTS;
  });
  const mean = values.reduce((sum, value) => sum + value, 0) / PARTS;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / PARTS);
  return Array.from(values, (value) =>
    String(Number(((value - mean) / deviation).toFixed(DIGITS)) || 0),
  ).join(' ');
}

function between(samples: Float64Array, probability: number): number {
  const at = probability * samples.length - 0.5;
  if (at <= 0) return samples[0]!;
  if (at >= samples.length - 1) return samples[samples.length - 1]!;
  const index = Math.floor(at);
  return samples[index]! + (at - index) * (samples[index + 1]! - samples[index]!);
}
