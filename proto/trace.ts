/**
 * How rate, latency and loss of a link change over time, as a text: what `trace: FILE` becomes, so that agents need no other
 * file. `loop 120 60000: 0 12000000, 100 8000000 20000, 250 - 25000 0.01`: whether it begins again at its end, where in it the
 * experiment begins and how long it is, in milliseconds; then steps, each from its time on: milliseconds, bit/s, microseconds, a
 * ratio. `-`, or nothing, is what the link itself has.
 */
import { FULL_FRAME_BYTES, type QueueSize } from './queue.ts';
import {
  amountIn,
  type Bps,
  bps,
  DAY,
  MIN_BANDWIDTH,
  type Micros,
  micros,
  type Ratio,
  ratio,
  toBytesPerSecond,
  toMillis,
  UnitError,
} from './units.ts';

export interface Trace {
  readonly loops: boolean;
  readonly phaseMs: number;
  readonly periodMs: number;
  /** Ascending from 0. */
  readonly startMs: Float64Array;
  /** NaN: the trace says nothing of it. In one trace, all steps say something of the same properties. */
  readonly rateBps: Float64Array;
  readonly latencyMicros: Float64Array;
  readonly loss: Float64Array;
}

export const MOST_STEPS = 100_000;
/** Of a file, or of an expanded one. */
const MOST_TRACE_TEXT = 4_000_000;
const MOST_MS = toMillis(DAY);
const HEAD = /^(loop|once) (\d{1,8}) (\d{1,8})$/;
const STEP = /^(\d{1,8}) (\d{1,12}|-)(?: (\d{1,9}|-)(?: (0(?:\.\d{1,10})?|1|-))?)?$/;
/** What `parseTrace` accepts begins so. */
export const TRACE_PATTERN = String.raw`^(?:loop|once) \d{1,8} \d{1,8}: 0 `;

/** Whether it is such a text, and not the name of a file. */
export function isTraceText(text: string): boolean {
  return new RegExp(TRACE_PATTERN).test(text);
}

/** The same text. Throws `UnitError`. */
export function parseTrace(text: string): string {
  readTrace(text);
  return text;
}

const known = new Map<string, Trace>();
const MOST_KNOWN = 1000;

export function traceOf(text: string): Trace {
  let trace = known.get(text);
  if (trace) return trace;
  trace = readTrace(text);
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(text, trace);
  return trace;
}

/** Without its steps. */
export function traceHead(text: string): string {
  return text.slice(0, text.indexOf(':'));
}

function readTrace(text: string): Trace {
  const wrong = (what: string): UnitError =>
    new UnitError(
      'UNIT_SYNTAX',
      `the trace ${what}`,
      'write trace: FILE, which netfold check --expand reads',
    );
  if (text.length > MOST_TRACE_TEXT) throw wrong('is too long');
  const end = text.indexOf(': ');
  const head = HEAD.exec(text.slice(0, Math.max(0, end)));
  if (!head) throw wrong('does not begin as one');
  const [phaseMs, periodMs] = [Number(head[2]), Number(head[3])];
  const steps = text.slice(end + 2).split(', ');
  if (steps.length > MOST_STEPS) throw wrong(`has more than ${MOST_STEPS} steps`);
  const made = () => new Float64Array(steps.length);
  const [startMs, rateBps, latencyMicros, loss] = [made(), made(), made(), made()];
  for (const [at, step] of steps.entries()) {
    const words = STEP.exec(step);
    if (!words) throw wrong(`has no step in its place ${at + 1}`);
    const value = (word: string | undefined): number =>
      word === undefined || word === '-' ? Number.NaN : Number(word);
    startMs[at] = Number(words[1]);
    rateBps[at] = value(words[2]);
    latencyMicros[at] = value(words[3]);
    loss[at] = value(words[4]);
    if (at === 0 ? startMs[0] !== 0 : startMs[at]! <= startMs[at - 1]!)
      throw wrong(`goes back at step ${at + 1}`);
    for (const series of [rateBps, latencyMicros, loss])
      if (Number.isNaN(series[at]!) !== Number.isNaN(series[0]!)) throw wrong(`says less at step ${at + 1}`);
  }
  if (periodMs <= startMs.at(-1)! || periodMs > MOST_MS || phaseMs >= periodMs)
    throw wrong('has no time of its own');
  if ([rateBps, latencyMicros, loss].every((of) => Number.isNaN(of[0]!))) throw wrong('says nothing');
  return { loops: head[1] === 'loop', phaseMs, periodMs, startMs, rateBps, latencyMicros, loss };
}

/** The text of a trace; values are rounded to whole ones, losses to six digits. */
export function traceText({
  loops,
  phaseMs,
  periodMs,
  startMs,
  rateBps,
  latencyMicros,
  loss,
}: Trace): string {
  const shown = (value: number, digits = 0): string =>
    Number.isNaN(value) ? '-' : String(Number(value.toFixed(digits)));
  const steps = Array.from(startMs, (start, at) =>
    [shown(start), shown(rateBps[at]!), shown(latencyMicros[at]!), shown(loss[at]!, 6)]
      .join(' ')
      .replace(/(?: -){1,2}$/, ''),
  );
  return `${loops ? 'loop' : 'once'} ${phaseMs} ${periodMs}: ${steps.join(', ')}`;
}

type Series = 'rateBps' | 'latencyMicros' | 'loss';

/** The mean over its period; NaN if it says nothing of that. */
export function meanOfTrace(trace: Trace, series: Series): number {
  const { startMs, periodMs } = trace;
  const values = trace[series];
  let sum = 0;
  for (let at = 0; at < values.length; at++)
    sum += values[at]! * ((startMs[at + 1] ?? periodMs) - startMs[at]!);
  return sum / periodMs;
}

/** The bandwidth of a link whose trace this is, before it is played; `undefined` if it says nothing of rates. */
export function meanRateOf(trace: Trace): Bps | undefined {
  const mean = meanOfTrace(trace, 'rateBps');
  return Number.isNaN(mean) ? undefined : bps(Math.max(MIN_BANDWIDTH, Math.round(mean)));
}

/** A buffer that a link with a trace has without `queue`: so many full frames, or what so long takes at its mean rate. */
const LEAST_FRAMES = 64;
const BUFFER_TIME = micros(250_000);

/** Not from the rate of the moment: a buffer does not shrink when a link slows down. `undefined` if it says nothing of rates. */
export function derivedBuffer(trace: Trace): number | undefined {
  const rate = meanRateOf(trace);
  if (rate === undefined) return undefined;
  const bytes = Math.round(amountIn(BUFFER_TIME, toBytesPerSecond(rate)));
  return Math.max(LEAST_FRAMES * FULL_FRAME_BYTES, bytes);
}

interface Means {
  readonly bandwidth?: Bps;
  readonly queueBytes?: number;
  readonly latency?: Micros;
  readonly loss?: Ratio;
}

/** What a link has of its trace before it is played, and for routing and `netfold paths`. `queue`: the link's own. */
export function meansOfTrace(trace: Trace, queue: QueueSize): Means {
  const rate = meanRateOf(trace);
  const [latency, loss] = [meanOfTrace(trace, 'latencyMicros'), meanOfTrace(trace, 'loss')];
  const hasQueue = [queue.queuePackets, queue.queueBytes, queue.queueTime].some((size) => size !== undefined);
  return {
    ...(rate !== undefined && { bandwidth: rate }),
    ...(rate !== undefined && !hasQueue && { queueBytes: derivedBuffer(trace)! }),
    ...(!Number.isNaN(latency) && { latency: micros(Math.round(latency)) }),
    ...(!Number.isNaN(loss) && { loss: ratio(loss) }),
  };
}
