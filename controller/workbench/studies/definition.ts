/** A study's file: which topology, over which parameters, how often, and what comes out. docs/studies.md describes it. */
import { z } from 'zod';
import { parseDuration, parsePercentage } from '../../../proto/units.ts';
import { YamlDocument } from '../../../topology/formats/native/yaml/document.ts';
import { Findings } from '../../../topology/model/diagnostics.ts';
import { isName, NAME_REMEDY } from '../../../topology/model/names.ts';
import { StudyError } from './errors.ts';

const value = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const parameterName = z.string().regex(/^[A-Za-z_]\w{0,60}$/, 'is no name of a variable');
/** More values than anybody writes by hand. */
const MOST_STEPS = 100_000;

const rangeSchema = z.strictObject({
  from: value,
  to: value,
  steps: z.int().min(2).max(MOST_STEPS).optional(),
  scale: z.enum(['linear', 'log']).default('linear'),
});
export type Range = z.infer<typeof rangeSchema>;

const logResultSchema = z.strictObject({
  /** An endpoint, or a service with one replica; the result is in what its commands have written. */
  log: z.string(),
  pattern: z.string().max(1000).optional(),
  json: z.string().max(1000).optional(),
  /** Which, where the pattern is found several times. */
  take: z.enum(['first', 'last', 'mean', 'sum', 'min', 'max', 'count']).default('last'),
  unit: z.string().max(20).default(''),
});
export type LogResult = z.infer<typeof logResultSchema>;

const resultSchema = z.union([z.string(), logResultSchema]);

const studySchema = z.strictObject({
  study: z.string(),
  topology: z.string(),
  parameters: z
    .record(parameterName, z.union([value.transform((one) => [one]), z.array(value).min(1), rangeSchema]))
    .default({}),
  combine: z.enum(['grid', 'zip', 'random']).default('grid'),
  /** Of `random`: how many. */
  points: z.int().min(1).optional(),
  list: z.array(z.record(parameterName, value)).min(1).optional(),
  seed: z.int().min(0).max(0xffff_ffff).default(1),
  repeat: z.int().min(1).max(100_000).default(1),
  until: z
    .strictObject({
      result: z.string(),
      /** Half of the interval: a part of the mean, such as 5%, or a number in the result's unit. */
      within: value,
      confidence: z.string().default('95%'),
      least: z.int().min(2).max(100_000).default(3),
      most: z.int().min(2).max(100_000).default(20),
    })
    .optional(),
  duration: z.string().optional(),
  results: z
    .record(z.string().regex(/^[A-Za-z_]\w{0,60}$/, 'is no name of a result'), resultSchema)
    .default({}),
});

type Parsed = z.infer<typeof studySchema>;

export interface Until {
  readonly result: string;
  /** Half of the confidence interval, at most: a part of the mean, or a number in the result's unit. */
  readonly within: { readonly part: number } | { readonly amount: number };
  /** Of 1. */
  readonly confidence: number;
  readonly least: number;
  readonly most: number;
}

export interface Study extends Omit<Parsed, 'study' | 'until' | 'duration'> {
  readonly name: string;
  readonly until?: Until;
  /** Microseconds; absent: as long as expectations and results need. */
  readonly durationMicros?: number;
}

const REMEDY = 'docs/studies.md describes the file; examples/studies/tcp.yaml is one';

/** Throws `StudyError` (`STUDY_FILE`), and `TopologyError` for what is no YAML. */
export function readStudy(text: string, file: string): Study {
  const findings = new Findings(file);
  const document = YamlDocument.parse(text, findings);
  findings.settle();
  const parsed = studySchema.safeParse(document?.value ?? {});
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = issue!.path.filter((part) => typeof part !== 'symbol');
    const where = path.length === 0 ? '' : `${path.join('.')}: `;
    throw wrong(`${file}:${document?.at(path).line ?? 1}: ${where}${issue!.message}`);
  }
  const { study: name, until, duration, ...rest } = parsed.data;
  if (!isName(name)) throw wrong(`${file}: "${name.slice(0, 60)}" is no name of a study`, NAME_REMEDY);
  const study: Study = {
    ...rest,
    name,
    ...(until && { until: { ...until, ...untilOf(until, rest.results, file) } }),
    ...(duration !== undefined && { durationMicros: quantity(parseDuration, duration, `${file}: duration`) }),
  };
  requireWhole(study, file);
  return study;
}

/** What can't be right whatever the values are. */
function requireWhole({ parameters, list, combine, points, results }: Study, file: string): void {
  const names = Object.keys(parameters);
  if (list && names.length > 0)
    throw wrong(`${file}: list: and parameters: both name the points`, 'write one of them');
  if (!list && names.length === 0) throw wrong(`${file}: no parameters: and no list:`);
  if ((combine === 'random') !== (points !== undefined))
    throw wrong(
      `${file}: points: belongs to combine: random`,
      'write both, e.g. combine: random, points: 50',
    );
  for (const [name, given] of Object.entries(parameters)) {
    if (Array.isArray(given)) continue;
    requireRange(given, `${file}: parameters.${name}`);
    if (combine !== 'random' && given.steps === undefined)
      throw wrong(`${file}: parameters.${name}: how many values?`, 'write steps: 5, or combine: random');
  }
  for (const one of list ?? [])
    if (Object.keys(one).sort().join() !== Object.keys(list![0]!).sort().join())
      throw wrong(`${file}: the entries of list: don't have the same parameters`, 'give each all of them');
  for (const [name, result] of Object.entries(results)) {
    if (typeof result !== 'string') requirePlace(result, `${file}: results.${name}`);
  }
}

/** Throws `StudyError` (`STUDY_FILE`) for a place in a log that names none, or two. */
function requirePlace({ pattern, json }: LogResult, where: string): void {
  if ((pattern === undefined) === (json === undefined))
    throw wrong(`${where}: where in the log?`, 'write one of pattern: and json:');
  if (pattern === undefined) return;
  try {
    new RegExp(pattern, 'gm');
  } catch (error) {
    throw wrong(
      `${where}: ${(error as Error).message}`,
      'a regular expression of JavaScript; its first group is the number',
    );
  }
}

/** A number and its unit: `20ms`. */
const AMOUNT = /^\s*([+-]?\d+(?:\.\d+)?)\s*([A-Za-z%]*)\s*$/;

export interface Amount {
  readonly number: number;
  readonly unit: string;
}

export function amountOf(text: string): Amount | undefined {
  const [, number, unit] = AMOUNT.exec(text) ?? [];
  return number === undefined ? undefined : { number: Number(number), unit: unit! };
}

function requireRange({ from, to, scale }: Range, where: string): void {
  const [a, b] = [amountOf(from), amountOf(to)];
  if (!a || !b)
    throw wrong(
      `${where}: from and to are numbers with a unit`,
      'e.g. { from: 1Mbps, to: 100Mbps, steps: 5 }',
    );
  if (a.unit !== b.unit)
    throw wrong(`${where}: from is in "${a.unit}" and to in "${b.unit}"`, 'write both in one unit');
  if (scale === 'log' && (a.number <= 0 || b.number <= 0))
    throw wrong(
      `${where}: a logarithmic range has no 0 and nothing below`,
      'begin above 0, or write scale: linear',
    );
}

function untilOf(
  { result, within, confidence, least, most }: NonNullable<Parsed['until']>,
  results: Parsed['results'],
  file: string,
): Pick<Until, 'within' | 'confidence'> {
  if (!Object.hasOwn(results, result))
    throw wrong(
      `${file}: until.result: there is no result "${result.slice(0, 60)}"`,
      `there are: ${Object.keys(results).join(' ') || 'none'}`,
    );
  if (most < least) throw wrong(`${file}: until: most is less than least`);
  const level = quantity(parsePercentage, confidence, `${file}: until.confidence`);
  if (level < 0.5 || level > 0.999)
    throw wrong(`${file}: until.confidence: ${confidence} is not from 50% to 99.9%`, 'write 95%');
  if (within.trim().endsWith('%'))
    return {
      within: { part: quantity(parsePercentage, within, `${file}: until.within`) },
      confidence: level,
    };
  const amount = Number(within);
  if (within.trim() === '' || !(amount > 0))
    throw wrong(
      `${file}: until.within: "${within.slice(0, 60)}" is no width`,
      'write 5% of the mean, or a number in the unit of the result',
    );
  return { within: { amount }, confidence: level };
}

function quantity(parse: (text: string) => number, text: string, where: string): number {
  try {
    return parse(text);
  } catch (error) {
    const { message, remedy } = error as Error & { remedy?: string };
    throw wrong(`${where}: ${message}`, remedy);
  }
}

const wrong = (message: string, remedy = REMEDY): StudyError => new StudyError('STUDY_FILE', message, remedy);
