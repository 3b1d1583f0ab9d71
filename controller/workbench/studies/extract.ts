/** Named results: from what commands have written, or measured as expectations are. Pure. */
import { type Bps, type Micros, type Ratio, toMegabits, toMillis, toPercent } from '../../../proto/units.ts';
import { parseExpectation } from '../../../topology/expect/grammar.ts';
import { Findings } from '../../../topology/model/diagnostics.ts';
import type { Expectation, MeasureExpectation } from '../../../topology/model/expectations.ts';
import { endpointName, type NodeReference, parseReference } from '../../../topology/model/names.ts';
import type { LogResult, Study } from './definition.ts';
import { StudyError } from './errors.ts';

/** Results by name, each with how it is got. */
export interface Wanted {
  readonly logs: ReadonlyMap<string, LogWanted>;
  readonly measures: ReadonlyMap<string, MeasureExpectation & Expectation>;
  /** By result. */
  readonly units: ReadonlyMap<string, string>;
}

export interface LogWanted extends LogResult {
  readonly endpoint: string;
}

/** A measure has no bound; the grammar asks for one. */
const BOUNDS = { rtt: '< 1s', latency: '< 1s', loss: '< 100%', rate: '> 1kbps', bytes: '> 1B' } as const;
const MEASURED_IN = { rtt: 'ms', latency: 'ms', loss: '%', rate: 'Mb/s', bytes: 'bytes' } as const;

/** What a study asks of each run of a topology with these endpoints. Throws `StudyError` (`STUDY_FILE`), `TopologyError`. */
export function wantedOf(
  { results }: Pick<Study, 'results'>,
  file: string,
  endpoints: readonly string[],
): Wanted {
  const logs = new Map<string, LogWanted>();
  const measures = new Map<string, MeasureExpectation & Expectation>();
  const units = new Map<string, string>();
  for (const [name, result] of Object.entries(results)) {
    const where = `${file}: results.${name}`;
    if (typeof result === 'string') {
      const measure = parseMeasure(result, where);
      for (const node of [measure.from, measure.to]) requireEndpoint(node, endpoints, where);
      measures.set(name, measure);
      units.set(name, MEASURED_IN[measure.what]);
    } else {
      const node = parseReference(result.log);
      if (!node)
        throw wrong(`${where}: "${result.log.slice(0, 60)}" is no endpoint`, 'write e.g. log: client');
      logs.set(name, { ...result, endpoint: requireEndpoint(node, endpoints, where) });
      units.set(name, result.unit);
    }
  }
  return { logs, measures, units };
}

function requireEndpoint(
  { name, replica = 0 }: NodeReference,
  endpoints: readonly string[],
  where: string,
): string {
  const endpoint = endpointName(name, replica);
  if (endpoints.includes(endpoint)) return endpoint;
  const shown = endpoints.slice(0, 8).join(' ');
  throw wrong(`${where}: the topology has no endpoint ${endpoint}`, `it has: ${shown}`);
}

function parseMeasure(text: string, where: string): MeasureExpectation & Expectation {
  const [what] = text.trim().split(/\s/);
  if (what === undefined || !Object.hasOwn(BOUNDS, what))
    throw wrong(
      `${where}: "${text.slice(0, 60)}" is no measure`,
      'write rtt, loss, rate or bytes as in an expectation, e.g. rtt client server p99',
    );
  const findings = new Findings(where);
  const position = { file: where, line: 1, column: 1 };
  const line = `${text} ${BOUNDS[what as keyof typeof BOUNDS]}`;
  const parsed = parseExpectation(line, position, '', findings);
  findings.settle();
  return parsed as MeasureExpectation & Expectation;
}

/** In the unit of `Wanted.units`. */
export function shownValue({ what }: MeasureExpectation, value: number): number {
  if (what === 'rtt' || what === 'latency') return toMillis(value as Micros);
  if (what === 'loss') return toPercent(value as Ratio);
  return what === 'rate' ? toMegabits(value as Bps) : value;
}

/** The number in what was written. Throws `StudyError` (`STUDY_RESULT`). `name`: of the result. */
export function valueIn(log: string, name: string, wanted: LogResult): number {
  const { pattern, json, take } = wanted;
  const found = pattern === undefined ? valuesAt(documentsIn(log), json!) : matches(log, pattern);
  if (take === 'count') return found.length;
  const what = pattern === undefined ? `at ${json}` : `that matches ${pattern}`;
  if (found.length === 0) throw missing(`${name}: nothing ${what} in the log of ${wanted.log}`);
  const numbers = found.map((one) =>
    typeof one === 'number' ? one : one.trim() === '' ? Number.NaN : Number(one),
  );
  const odd = numbers.findIndex((number) => !Number.isFinite(number));
  if (odd >= 0)
    throw missing(`${name}: "${String(found[odd]).slice(0, 60)}" in the log of ${wanted.log} is no number`);
  return TAKE[take](numbers);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

const TAKE: Readonly<Record<Exclude<LogResult['take'], 'count'>, (numbers: readonly number[]) => number>> = {
  first: (numbers) => numbers[0]!,
  last: (numbers) => numbers.at(-1)!,
  mean: (numbers) => sum(numbers) / numbers.length,
  sum,
  min: (numbers) => numbers.reduce((least, one) => Math.min(least, one)),
  max: (numbers) => numbers.reduce((most, one) => Math.max(most, one)),
};

function matches(log: string, pattern: string): string[] {
  return [...log.matchAll(new RegExp(pattern, 'gm'))].map((match) => match[1] ?? match[0]);
}

/** One JSON text, also with other lines around it; or one a line. */
function documentsIn(log: string): unknown[] {
  const start = log.search(/^[ \t]*[{[]/m);
  if (start < 0) return [];
  const end = Math.max(log.lastIndexOf('}'), log.lastIndexOf(']')) + 1;
  const whole = parsed(log.slice(start, end));
  if (whole !== undefined) return [whole];
  return log.split('\n').flatMap((line) => (/^\s*[{[]/.test(line) ? (parsed(line) ?? []) : []));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `a.b.0.c`; `*` is every entry. */
function valuesAt(documents: readonly unknown[], path: string): (number | string)[] {
  let found: unknown[] = [...documents];
  for (const key of path.split('.'))
    found = found.flatMap((one): unknown[] => {
      if (typeof one !== 'object' || one === null) return [];
      if (key === '*') return Object.values(one);
      return Object.hasOwn(one, key) ? [(one as Record<string, unknown>)[key]] : [];
    });
  return found.flatMap((one) => (typeof one === 'number' || typeof one === 'string' ? [one] : []));
}

const wrong = (message: string, remedy: string): StudyError => new StudyError('STUDY_FILE', message, remedy);
const missing = (message: string): StudyError =>
  new StudyError(
    'STUDY_RESULT',
    message,
    'look at the log of a failed run: it is kept in the folder of the study',
  );
