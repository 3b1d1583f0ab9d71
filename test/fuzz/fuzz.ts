/** Feeds targets with mutated inputs, and finds faults: exceptions without a code, and inputs that take long. */
import { writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { micros, toMillis } from '../../proto/units.ts';
import { SeededRandom } from '../../topology/model/random.ts';
import { Coverage } from './coverage.ts';
import { type Cooked, cook, cooked, formatRecipe, type Input, mutated, type Recipe } from './recipe.ts';
import type { Target } from './target.ts';
import { isLookedAt, Turns } from './turns.ts';

export const MAX_MS = 1000;
export const MAX_MEGABYTES = 500;
/** Inputs of one target before the next has its turn; after each batch, coverage is looked at. */
const BATCH = 256;
/** Of a target; beyond, the oldest goes. */
const MAX_CORPUS = 500;
/** Mutations on top of each other: an input that long is no longer nearly valid. */
const MAX_MUTATIONS = 12;

export interface Fault {
  readonly recipe: string;
  readonly problem: string;
}

export interface TargetReport {
  readonly name: string;
  inputs: number;
  /** Inputs that were accepted. */
  valid: number;
  slowestMs: number;
  slowest: string;
  /** Interesting inputs, beside the valid ones to begin with. */
  readonly corpus: Cooked[];
  /** Of the processor, for all that was done with them. */
  ms: number;
}

export interface FuzzReport {
  readonly targets: readonly TargetReport[];
  readonly faults: readonly Fault[];
  readonly blocks: number;
  readonly peakMegabytes: number;
}

export interface FuzzOptions {
  readonly targets: readonly Target[];
  readonly seed: number;
  /** Asked after each batch. */
  readonly isOver: (inputs: number) => boolean;
  /** Whether inputs that reach new code are mutated further; costs about a third of the speed. */
  readonly guided: boolean;
  /** Whether more memory than `MAX_MEGABYTES` of the process is a fault. */
  readonly boundsMemory: boolean;
}

/** Ends after some faults: the first tells the most. */
const MAX_FAULTS = 10;

export async function fuzz({
  targets,
  seed,
  isOver,
  guided,
  boundsMemory,
}: FuzzOptions): Promise<FuzzReport> {
  const random = new SeededRandom(seed);
  const coverage = guided ? new Coverage() : undefined;
  const faults: Fault[] = [];
  const reports = targets.map(({ name }): TargetReport => emptyReport(name));
  const run = async ({ recipe, input }: Cooked, report: TargetReport): Promise<void> => {
    const fault = await tryOut(recipe, report, input);
    if (fault && !faults.some((one) => placeOf(one) === placeOf(fault))) faults.push(fault);
  };
  const seeds = targets.map((target) =>
    [...target.seeds.keys()].map((start) => cooked({ target, start, mutations: [] })),
  );
  for (const [at, report] of reports.entries()) for (const one of seeds[at]!) await run(one, report);
  coverage?.turn(true);
  let inputs = 0;
  let peak = 0;
  const turns = new Turns(targets.length);
  while (faults.length < MAX_FAULTS && !isOver(inputs)) {
    coverage?.turn(isLookedAt(inputs));
    const at = turns.next();
    const report = reports[at]!;
    const began = cpuMs();
    const batch = Array.from({ length: BATCH }, () => next(seeds[at]!, report.corpus, random));
    for (const one of batch) await run(one, report);
    inputs += BATCH;
    if (coverage?.isOn) await keep(batch, report.corpus, coverage);
    const ms = cpuMs() - began;
    report.ms += ms;
    turns.spend(at, BATCH, ms);
    peak = Math.max(peak, peakMegabytes());
    if (!boundsMemory || peakMegabytes() <= MAX_MEGABYTES) continue;
    const { recipe, megabytes } = await greediestOf(batch);
    if (megabytes <= MAX_MEGABYTES) continue;
    faults.push({ recipe, problem: `the process has had ${megabytes.toFixed(0)} MB with this one` });
    break;
  }
  coverage?.turn(false);
  return { targets: reports, faults, blocks: coverage?.blocks ?? 0, peakMegabytes: peak };
}

/** The error and where it was thrown: one fault is found thousands of times. */
function placeOf({ problem }: Fault): string {
  return problem.split('\n').slice(0, 3).join('\n');
}

function emptyReport(name: string): TargetReport {
  return { name, inputs: 0, valid: 0, slowestMs: 0, slowest: '', corpus: [], ms: 0 };
}

/** Since the start, or since `greediestOf` has forgotten it. */
function peakMegabytes(): number {
  return process.resourceUsage().maxRSS / 1024;
}

/**
 * Reads each of the batch once more, beginning without what garbage there is of those before: on a busy machine V8 leaves it for
 * long. Writing 5 forgets the peak (proc_pid_clear_refs(5)).
 */
async function greediestOf(batch: readonly Cooked[]): Promise<{ recipe: string; megabytes: number }> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: object) => void;
  let greediest = { recipe: '', megabytes: 0 };
  for (const { recipe, input } of batch) {
    // `last-resort` also gives the pages back to the kernel.
    collect({ type: 'major', flavor: 'last-resort' });
    writeFileSync('/proc/self/clear_refs', '5');
    await readOnce(recipe.target, input);
    const megabytes = peakMegabytes();
    if (megabytes > greediest.megabytes) greediest = { recipe: formatRecipe(recipe), megabytes };
  }
  return greediest;
}

/** A valid input, or one that reached new code, with one more mutation. */
function next(seeds: readonly Cooked[], corpus: readonly Cooked[], random: SeededRandom): Cooked {
  const isNew = corpus.length > 0 && random.below(2) === 0;
  const bases = isNew ? corpus : seeds;
  const base = bases[random.below(bases.length)]!;
  return mutated(base, random.below(2 ** 31));
}

/** Inputs of a batch that are read again together, to find those that reach new code: asking V8 takes some milliseconds. */
const GROUP = 32;

/** Reads the batch again, and keeps the inputs that reach code that none before reached. */
async function keep(batch: readonly Cooked[], corpus: Cooked[], coverage: Coverage): Promise<void> {
  const fresh = coverage.unseen(coverage.take());
  for (let start = 0; fresh.length > 0 && start < batch.length; start += GROUP)
    corpus.push(...(await reaching(batch.slice(start, start + GROUP), fresh, coverage)));
  // Also what was not found again, since it depends on the inputs before it.
  coverage.add(fresh);
  corpus.splice(0, Math.max(0, corpus.length - MAX_CORPUS));
}

/** The first inputs that reach `wanted`, by halves. */
async function reaching(
  group: readonly Cooked[],
  wanted: readonly string[],
  coverage: Coverage,
): Promise<Cooked[]> {
  for (const { recipe, input } of group) await readOnce(recipe.target, input);
  const reached = new Set(coverage.take());
  const found = coverage.unseen(wanted).filter((block) => reached.has(block));
  if (found.length === 0) return [];
  if (group.length === 1) {
    coverage.add(found);
    return group[0]!.recipe.mutations.length < MAX_MUTATIONS ? [group[0]!] : [];
  }
  const middle = group.length >> 1;
  return [
    ...(await reaching(group.slice(0, middle), found, coverage)),
    ...(await reaching(group.slice(middle), found, coverage)),
  ];
}

async function readOnce(target: Target, input: Input): Promise<unknown> {
  try {
    await target.read(input as never);
    return undefined;
  } catch (error) {
    return error ?? new Error('nothing was thrown');
  }
}

/** Of this thread: what else the machine does is not the input's fault. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return toMillis(micros(user + system));
}

/** Reads the input; a slow one again, since the first of its kind is slower. */
export async function tryOut(
  recipe: Recipe,
  report: TargetReport = emptyReport(''),
  input: Input = cook(recipe),
): Promise<Fault | undefined> {
  let ms = Number.POSITIVE_INFINITY;
  let error: unknown;
  for (let attempt = 0; attempt < 3 && ms > MAX_MS; attempt++) {
    const start = cpuMs();
    error = await readOnce(recipe.target, input);
    ms = Math.min(ms, cpuMs() - start);
  }
  report.inputs++;
  if (error === undefined) report.valid++;
  if (ms > report.slowestMs) Object.assign(report, { slowestMs: ms, slowest: formatRecipe(recipe) });
  if (error !== undefined && !recipe.target.isCoded(error)) {
    const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { recipe: formatRecipe(recipe), problem };
  }
  if (ms > MAX_MS)
    return { recipe: formatRecipe(recipe), problem: `took ${ms.toFixed(0)} ms of processor time` };
  return undefined;
}
