/**
 * `trace: FILE`, or `trace: { file, loop, phase }` → the text of a trace (proto/trace.ts). Files of Mahimahi (each line the
 * millisecond at which a packet of 1,500 bytes can pass; Netravali et al., USENIX ATC 2015), CSV with the columns `time`, and
 * some of `rate`, `latency` and `loss`, and captures, `{ file, from, to, port }`.
 */
import { isTraceText, MOST_STEPS, type Trace, traceText } from '../../../../proto/trace.ts';
import {
  bitsPerSecond,
  DAY,
  parseBandwidth,
  parseDuration,
  parseLatency,
  parsePercentage,
  secondsToMillis,
  toMillis,
  UnitError,
} from '../../../../proto/units.ts';
import { type Findings, quote } from '../../../model/diagnostics.ts';
import { CAPTURE, ratesOfCapture } from './capture-rates.ts';
import { CaptureProblem, type Direction, directionOf } from './captured-packets.ts';
import type { Files } from './files.ts';
import type { Part } from './include.ts';
import {
  asMapping,
  below,
  fieldOf,
  inEachDirection,
  keyPlaceOf,
  type Origin,
  placeOf,
  type Source,
} from './origins.ts';
import { LineProblem } from './trace-lines.ts';
import type { Scope } from './variables.ts';

/** A full frame as bandwidth counts it, of which a packet of 1,500 bytes is a part. */
const FRAME_BYTES = 1514;
/** Opportunities of so long are one step: a packet or two of a fast link. */
const STEP_MS = 10;
const MOST_MS = toMillis(DAY);

type Steps = Pick<Trace, 'periodMs' | 'startMs' | 'rateBps' | 'latencyMicros' | 'loss'>;

interface Wanted {
  readonly file: string;
  readonly loops: boolean;
  readonly phase: number | 'seed';
  /** Of a capture. */
  readonly direction?: Direction;
}

interface Named {
  readonly written: unknown;
  readonly origin: Origin;
}

/** Of an expanded file. */
const isText = (written: unknown): written is string => typeof written === 'string' && isTraceText(written);

export class Traces {
  readonly #files: Files;
  readonly #findings: Findings;
  readonly #known = new Map<string, Steps | undefined>();
  /** As the files have them; `undefined`: it is wrong, which was told. */
  readonly #named = new Map<string, Named | undefined>();

  constructor(files: Files, findings: Findings) {
    this.#files = files;
    this.#findings = findings;
  }

  /**
   * `traces:` of all files: the texts by name, and where they stand. Of one name in several files, that of the file that includes
   * the others. Links may have them by name from then on.
   */
  names(
    parts: readonly Part[],
    scope: Scope,
  ): Map<string, { readonly text: string; readonly origin: Origin }> {
    for (const { source } of parts) this.#declare(source, scope);
    const fileOf = (origin: Origin): string =>
      parts.find(({ source }) => 'source' in origin && source === origin.source)!.file;
    const found = new Map<string, { text: string; origin: Origin }>();
    for (const [name, named] of [...this.#named]) {
      const { written, origin } = named!;
      const text = this.#textOf(written, origin, fileOf, name);
      if (text !== undefined) found.set(name, { text, origin });
      else this.#named.set(name, undefined);
    }
    return found;
  }

  #declare(source: Source, scope: Scope): void {
    const origin: Origin = { source, path: ['traces'] };
    const written = asMapping(source.value)?.traces;
    const mapping = asMapping(written);
    if (!mapping && written !== undefined && written !== null)
      this.#findings.error(
        'VALUE_INVALID',
        placeOf(origin),
        fieldOf(origin),
        'this is no mapping',
        'write e.g. traces: { night: night.csv }',
      );
    for (const [name, value] of Object.entries(mapping ?? {})) {
      const at = below(origin, name);
      this.#named.set(name, { written: scope.value(value, at, 'strict'), origin: at });
    }
  }

  /** Replaces the files in a link's fields and in those of its directions; see `Samples.resolve`. */
  resolve(
    link: Record<string, unknown>,
    originOf: (key: string) => Origin,
    fileOf: (origin: Origin) => string,
  ): void {
    const ends = `${link.from} ${link.to} ${link.name ?? ''}`;
    // Both directions of a link play the same trace at different places, if the seed decides.
    inEachDirection(link, 'trace', originOf, (fields, origin, direction) =>
      this.#replace(fields, origin, fileOf, direction === undefined ? ends : `${ends} ${direction}`),
    );
  }

  #replace(
    fields: Record<string, unknown>,
    origin: Origin,
    fileOf: (origin: Origin) => string,
    salt: string,
  ): void {
    const written = fields.trace;
    if (written === undefined || written === null || isText(written)) return;
    // What is wrong is told; the schema would say it again.
    delete fields.trace;
    const isName = typeof written === 'string' && this.#named.has(written);
    const named = isName ? this.#named.get(written) : { written, origin };
    const text = named && this.#textOf(named.written, named.origin, fileOf, salt);
    if (text !== undefined) fields.trace = text;
  }

  #textOf(
    written: unknown,
    origin: Origin,
    fileOf: (origin: Origin) => string,
    salt: string,
  ): string | undefined {
    if (isText(written)) return written;
    const wanted = this.#wanted(written, origin);
    const path = wanted && this.#files.pathOf(wanted.file, fileOf(origin), origin);
    if (path === undefined) return undefined;
    const { loops, phase, direction } = wanted!;
    const key = JSON.stringify([path, direction]);
    if (!this.#known.has(key))
      this.#known.set(key, direction ? this.#readCapture(path, direction, origin) : this.#read(path, origin));
    const steps = this.#known.get(key);
    if (!steps) return undefined;
    const phaseMs = phase === 'seed' ? hashOf(`${salt} ${path}`) % steps.periodMs : phase % steps.periodMs;
    return traceText({ loops, phaseMs, ...steps });
  }

  #wanted(written: unknown, origin: Origin): Wanted | undefined {
    const { file, loop = true, phase = '0ms', ...rest } = asMapping(written) ?? { file: written };
    const isCapture = typeof file === 'string' && CAPTURE.test(file);
    const refuse = (at: Origin, message: string, remedy: string): undefined => {
      this.#findings.error('VALUE_INVALID', placeOf(at), fieldOf(at), message, remedy);
      return undefined;
    };
    const keys = ['file', 'loop', 'phase', ...(isCapture ? ['from', 'to', 'port'] : [])];
    const unknown = Object.keys(rest).find((key) => !keys.includes(key));
    if (unknown !== undefined) {
      const at = below(origin, unknown);
      const message = `there is no key ${quote(unknown)} here`;
      const known = `known keys: ${keys.join(', ')}`;
      this.#findings.error('KEY_UNKNOWN', keyPlaceOf(at), fieldOf(at), message, known);
      return undefined;
    }
    if (typeof file !== 'string' || file === '')
      return refuse(
        origin,
        'this names no file',
        'write e.g. trace: lte.csv, or trace: { file: lte.csv, loop: false }',
      );
    if (typeof loop !== 'boolean')
      return refuse(below(origin, 'loop'), `${quote(loop)} is neither true nor false`, 'write true or false');
    try {
      const direction = isCapture && { direction: directionOf(rest) };
      const phaseMs = phase === 'seed' ? phase : Math.round(toMillis(parseDuration(String(phase))));
      return { file, loops: loop, phase: phaseMs, ...direction };
    } catch (error) {
      if (error instanceof CaptureProblem) return refuse(origin, error.message, error.remedy);
      if (!(error instanceof UnitError)) throw error;
      return refuse(below(origin, 'phase'), error.message, 'write a time, e.g. 3s, or seed');
    }
  }

  #read(path: string, origin: Origin): Steps | undefined {
    const found = this.#files.read(path, origin);
    if (!found) return undefined;
    try {
      return stepsOf(found.text);
    } catch (error) {
      if (!(error instanceof LineProblem)) throw error;
      const { line, message, remedy } = error;
      this.#findings.error('VALUE_INVALID', { line, column: 1, file: path }, 'trace', message, remedy);
      return undefined;
    }
  }

  #readCapture(path: string, direction: Direction, origin: Origin): Steps | undefined {
    const bytes = this.#files.bytes(path, origin);
    if (!bytes) return undefined;
    const [place, field] = [placeOf(origin), fieldOf(origin)];
    try {
      const { from, to, others, ...steps } = ratesOfCapture(bytes, direction, {
        ms: MOST_MS,
        steps: MOST_STEPS,
      });
      if (others > 0 && (direction.from === undefined || direction.to === undefined))
        this.#findings.warning(
          'KEY_IGNORED',
          place,
          field,
          `${quote(path)}: its rate is that from ${from} to ${to}, and ${others} packets of others are left out`,
          'name the addresses of one direction: trace: { file: …, from: …, to: … }',
        );
      const none = new Float64Array(steps.startMs.length).fill(Number.NaN);
      return { ...steps, latencyMicros: none, loss: none };
    } catch (error) {
      if (!(error instanceof CaptureProblem)) throw error;
      const { message, remedy } = error;
      this.#findings.error('VALUE_INVALID', place, field, `${quote(path)}: ${message}`, remedy);
      return undefined;
    }
  }
}

/** Throws `LineProblem`. */
function stepsOf(text: string): Steps {
  const lines = text.split('\n').map((line) => line.trim());
  const first = lines.findIndex((line) => line !== '');
  if (first < 0) throw new LineProblem(1, 'the trace is empty', 'write a line for each packet, or CSV');
  return /^\d+$/.test(lines[first]!) ? mahimahi(lines) : csv(lines, first);
}

/** It ends with its last packet. */
function mahimahi(lines: readonly string[]): Steps {
  const remedy = 'write a millisecond in each line, not before that of the line above';
  const packets = new Map<number, number>();
  let last = 0;
  for (const [index, line] of lines.entries()) {
    if (line === '') continue;
    if (!/^\d{1,8}$/.test(line)) throw new LineProblem(index + 1, `${quote(line)} is no millisecond`, remedy);
    const at = Number(line);
    if (at < last) throw new LineProblem(index + 1, `the trace goes back from ${last} to ${at} ms`, remedy);
    if (at > MOST_MS) throw new LineProblem(index + 1, 'the trace is longer than a day', 'cut it');
    last = at;
    // What passes at the end of a step has been the step's.
    const step = Math.max(0, Math.ceil(at / STEP_MS) - 1);
    packets.set(step, (packets.get(step) ?? 0) + 1);
  }
  if (last === 0)
    throw new LineProblem(1, 'all packets of the trace pass at 0 ms', 'write when each of them can pass');
  const starts: number[] = [];
  const rates: number[] = [];
  for (let step = 0; step * STEP_MS < last; step++) {
    const lengthMs = Math.min(STEP_MS, last - step * STEP_MS);
    const rate = Math.round(bitsPerSecond((packets.get(step) ?? 0) * FRAME_BYTES, lengthMs));
    if (rates.at(-1) === rate) continue;
    starts.push(step * STEP_MS);
    rates.push(rate);
    if (starts.length > MOST_STEPS)
      throw new LineProblem(1, `the trace changes more than ${MOST_STEPS} times`, 'cut it');
  }
  const none = new Float64Array(starts.length).fill(Number.NaN);
  return {
    ...{ periodMs: last, startMs: Float64Array.from(starts), rateBps: Float64Array.from(rates) },
    ...{ latencyMicros: none, loss: none },
  };
}

/** Column → how its cells are read. */
const COLUMNS = {
  time: (text: string) => Math.round(toMillis(parseDuration(text))),
  // A bandwidth of a link is never 0; that of a trace may be.
  rate: (text: string) => (/^0+(?:\.0*)?\s*[KMG]?bps$/i.test(text) ? 0 : parseBandwidth(text)),
  latency: (text: string) => parseLatency(text),
  loss: (text: string) => parsePercentage(text),
} as const;
type Column = keyof typeof COLUMNS;
const UNITS: Readonly<Record<string, string>> = {
  ...{ s: 's', ms: 'ms', us: 'us', bps: 'bps', kbps: 'Kbps', mbps: 'Mbps', gbps: 'Gbps', percent: '%' },
};
const HEADING = 'write a heading such as time_ms,rate_mbps,latency_ms,loss_percent, or units in the cells';

function csv(lines: readonly string[], first: number): Steps {
  const columns = lines[first]!.split(',').map((cell) => columnOf(cell.trim(), first + 1));
  const places = new Map(columns.map(({ column }, index) => [column, index]));
  if (places.size < columns.length) throw new LineProblem(first + 1, 'a column is there twice', HEADING);
  if (!places.has('time') || places.size === 1)
    throw new LineProblem(first + 1, 'there is no column time, or nothing beside it', HEADING);
  const rows: { line: number; cells: number[] }[] = [];
  for (let index = first + 1; index < lines.length; index++) {
    if (lines[index] === '') continue;
    const cells = lines[index]!.split(',');
    if (cells.length !== columns.length)
      throw new LineProblem(
        index + 1,
        `${cells.length} cells stand below ${columns.length} columns`,
        HEADING,
      );
    rows.push({
      line: index + 1,
      cells: cells.map((cell, at) => cellValue(cell.trim(), columns[at]!, index + 1)),
    });
    if (rows.length > MOST_STEPS)
      throw new LineProblem(index + 1, `the trace has more than ${MOST_STEPS} rows`, 'cut it, or join rows');
  }
  if (rows.length === 0)
    throw new LineProblem(first + 1, 'the trace has no rows', 'write one for each change');
  const series = (column: Column): Float64Array => {
    const place = places.get(column);
    return Float64Array.from(rows, ({ cells }) => (place === undefined ? Number.NaN : cells[place]!));
  };
  const times = series('time');
  const startMs = times.map((time) => time - times[0]!);
  for (const [at, { line }] of rows.entries())
    if (at > 0 && startMs[at]! <= startMs[at - 1]!)
      throw new LineProblem(
        line,
        'the time is not after that of the row above',
        'write rows in the order of time',
      );
  // The last row is as long as the one before it; a single one holds for ever.
  const last = startMs.at(-1)!;
  const periodMs = rows.length === 1 ? secondsToMillis(1) : last + (last - startMs.at(-2)!);
  if (periodMs > MOST_MS)
    throw new LineProblem(rows.at(-1)!.line, 'the trace is longer than a day', 'cut it');
  return {
    periodMs,
    startMs,
    rateBps: series('rate'),
    latencyMicros: series('latency'),
    loss: series('loss'),
  };
}

/** `rate`, or `rate_mbps`: numbers without a unit have that one. */
function columnOf(cell: string, line: number): { column: Column; unit: string } {
  const [, name = '', suffix] = /^([a-z]+)(?:_([a-z]+))?$/i.exec(cell) ?? [];
  const column = name.toLowerCase();
  const unit = suffix === undefined ? '' : UNITS[suffix.toLowerCase()];
  if (!Object.hasOwn(COLUMNS, column) || unit === undefined)
    throw new LineProblem(line, `${quote(cell)} is no column`, HEADING);
  return { column: column as Column, unit };
}

function cellValue(cell: string, { column, unit }: { column: Column; unit: string }, line: number): number {
  try {
    return COLUMNS[column](/^[+-]?[\d.]+$/.test(cell) ? `${cell}${unit}` : cell);
  } catch (error) {
    if (!(error instanceof UnitError)) throw error;
    throw new LineProblem(line, `${column}: ${error.message}`, error.remedy ?? HEADING);
  }
}

/** FNV-1a, 32 bits: the same on every host. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
