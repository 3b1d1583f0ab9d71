/** What a run is expected to give again on another machine, with tolerances, and whether another run gave it. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { millisToSeconds } from '../../../proto/units.ts';
import { ControllerError } from '../../errors.ts';
import { deviation, LEAST_EFFECT, mean, type Series, series } from '../compare/compare.ts';
import { readRecord } from '../read.ts';

/** Of this layout. */
const FORMAT = 1;
/** An event is in force so long after its instant at most: what a replay keeps. */
export const EVENT_MS = 20;
/** A mean of another run is within so many deviations of the first one's intervals. */
const DEVIATIONS = 2;
/** What a whole run of another machine differs by, beside its intervals: the ends of applications come at other instants. */
const LEAST_PART = 0.05;

const expectedSchema = z.strictObject({
  format: z.literal(FORMAT),
  record: z.string(),
  topology: z.string(),
  seconds: z.number(),
  verdict: z.string(),
  /** Bits per second of a flow, milliseconds of a path's round trip: the mean, and how far another run's may be off. */
  results: z.array(
    z.strictObject({
      kind: z.enum(['flow', 'path']),
      source: z.string(),
      destination: z.string(),
      value: z.number(),
      tolerance: z.number(),
    }),
  ),
  events: z.array(z.strictObject({ dueMs: z.number(), text: z.string(), withinMs: z.number() })),
});

export type Expected = z.infer<typeof expectedSchema>;

/** Throws `ControllerError` (`RECORD_UNREADABLE`). */
export function expectedOf(folder: string): Expected {
  const { description, lastMs, verdicts, events } = readRecord(folder);
  const { buckets, found } = series(folder, lastMs);
  return {
    ...{ format: FORMAT, record: description.id, topology: description.topology.hash },
    seconds: Math.round(millisToSeconds(lastMs)),
    verdict: worstOf(verdicts),
    results: [...found.values()].map(({ key, means }) => {
      const values = valuesOf(key.kind, means, buckets);
      const value = mean(values);
      const least =
        key.kind === 'flow' ? LEAST_PART * value : Math.max(LEAST_EFFECT.roundTripMs, 0.02 * value);
      return { ...key, value, tolerance: Math.max(least, DEVIATIONS * deviation(values)) };
    }),
    events: events
      .filter(({ tMs }) => tMs !== null)
      .map(({ dueMs, text }) => ({ dueMs, text, withinMs: EVENT_MS })),
  };
}

/** A flow that is not there in an interval had no rate in it; a path was not measured. */
function valuesOf(
  kind: 'flow' | 'path',
  means: ReadonlyMap<number, number>,
  buckets: Series['buckets'],
): number[] {
  return kind === 'path' ? [...means.values()] : [...buckets].map((bucket) => means.get(bucket) ?? 0);
}

const worstOf = (verdicts: readonly { readonly state: string }[]): string =>
  ['invalid', 'degraded'].find((state) => verdicts.some((one) => one.state === state)) ?? 'faithful';

/** Throws `ControllerError` (`RECORD_EXPECTED`). */
export function readExpected(file: string): Expected {
  try {
    return expectedSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message;
    throw new ControllerError(
      'RECORD_EXPECTED',
      `${file} says nothing that can be expected: ${why}`,
      'it is the expected.json of what `netfold export RECORD --artifact` has written',
      cause,
    );
  }
}

export interface Checked {
  readonly what: string;
  readonly kind: 'flow' | 'path' | 'event' | 'verdict';
  readonly expected: number | string;
  readonly tolerance: number | null;
  /** null: it was not there. */
  readonly found: number | string | null;
  readonly holds: boolean;
}

/** In the order of what is expected. Throws `ControllerError` (`RECORD_UNREADABLE`). */
export function checkRecord(folder: string, expected: Expected): Checked[] {
  const { lastMs, verdicts, events } = readRecord(folder);
  const { buckets, found } = series(folder, lastMs);
  const verdict = worstOf(verdicts);
  return [
    {
      ...{
        what: 'the verdict',
        kind: 'verdict',
        expected: expected.verdict,
        tolerance: null,
        found: verdict,
      },
      holds: verdict === expected.verdict || verdict === 'faithful',
    },
    ...expected.results.map(({ kind, source, destination, value, tolerance }): Checked => {
      const its = found.get(`${kind} ${source} ${destination}`);
      const now = its ? mean(valuesOf(kind, its.means, buckets)) : null;
      const holds = now !== null && Math.abs(now - value) <= tolerance;
      return { what: `${source} → ${destination}`, kind, expected: value, tolerance, found: now, holds };
    }),
    ...expected.events.map(({ dueMs, text, withinMs }): Checked => {
      const its = events.find((one) => one.text === text && one.dueMs === dueMs);
      const late = its?.tMs == null ? null : its.tMs - dueMs;
      const holds = late !== null && Math.abs(late) <= withinMs;
      return { what: text, kind: 'event', expected: 0, tolerance: withinMs, found: late, holds };
    }),
  ];
}
