/** `npm run fuzz -- --minutes N`: hostile inputs for every decoder and grammar. docs/contributing.md describes it. */
import { Command, InvalidArgumentError } from 'commander';
import { EXIT_CODE } from '../../proto/errors.ts';
import { fromMillis, micros, toSeconds } from '../../proto/units.ts';
import { type FuzzReport, fuzz, tryOut } from './fuzz.ts';
import { IMPORTS } from './imports.ts';
import { MESSAGES } from './messages.ts';
import { NETWORKS } from './networks.ts';
import { parseRecipe } from './recipe.ts';
import { TEXTS } from './texts.ts';

const TARGETS = [...TEXTS, ...IMPORTS, ...NETWORKS, ...MESSAGES];

const program = new Command('fuzz')
  .description('feeds every decoder and grammar with inputs that are nearly valid')
  .option('--minutes <number>', 'how long', positive, 1)
  .option('--inputs <number>', 'ends after so many, if that is sooner', positive, Number.POSITIVE_INFINITY)
  .option('--seed <number>', 'of all randomness', positive, 1)
  .option('--target <name>', `one of: ${TARGETS.map(({ name }) => name).join(', ')}`)
  .option('--no-guided', 'do not look for inputs that reach new code')
  .option(
    '--requests <number>',
    'instead: so many requests to the API, made from its OpenAPI document',
    positive,
  )
  .option(
    '--real',
    'with --requests: to a server and a lab that are started for it, by HTTP, and not longer than --minutes if they are said; needs root',
    false,
  )
  .option('--repeat <recipe>', 'read one input again, by the recipe that a fault has')
  .parse();
const options = program.opts<{
  minutes: number;
  inputs: number;
  seed: number;
  target?: string;
  guided: boolean;
  repeat?: string;
  requests?: number;
  real: boolean;
}>();

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('It is no number above 0.');
  return value;
}

function print(report: FuzzReport, seconds: number): void {
  console.log('target                     inputs  accepted  corpus    time  slowest');
  for (const { name, inputs, valid, corpus, ms, slowestMs, slowest } of report.targets) {
    const share = `${Math.round((100 * valid) / Math.max(1, inputs))} %`;
    const time = `${toSeconds(fromMillis(ms)).toFixed(1)} s`;
    const columns = [String(inputs), share, String(corpus.length), time];
    const numbers = columns.map((text, at) => text.padStart([10, 9, 7, 7][at]!));
    console.log(`${name.padEnd(23)}${numbers.join(' ')}  ${slowestMs.toFixed(1)} ms (${slowest})`);
  }
  const all = report.targets.reduce((sum, { inputs }) => sum + inputs, 0);
  const rate = Math.round(all / seconds);
  // On a busy machine it has a part of a core only.
  const { user, system } = process.cpuUsage();
  const ofCore = Math.round(all / toSeconds(micros(user + system)));
  const guided = report.blocks > 0 ? `, ${report.blocks} blocks of code reached` : '';
  console.log(
    `${all} inputs in ${seconds.toFixed(0)} s, ${rate}/s, ${ofCore} in a second of processor time; at most ${report.peakMegabytes.toFixed(0)} MB${guided}`,
  );
  for (const { recipe, problem } of report.faults) console.log(`\nFAULT: ${problem}\n  --repeat '${recipe}'`);
}

if (options.requests !== undefined) {
  const { askApi } = await import('./ask-api.ts');
  const isTimed = program.getOptionValueSource('minutes') === 'cli';
  const found = await askApi({ ...options, requests: options.requests, isTimed });
  console.log(JSON.stringify(found, null, 2));
  process.exit(found.faults.length > 0 ? EXIT_CODE.internal : 0);
}
const targets = TARGETS.filter(({ name }) => options.target === undefined || name === options.target);
if (targets.length === 0) program.error(`there is no target "${options.target}"`);
if (options.repeat !== undefined) {
  const fault = await tryOut(parseRecipe(options.repeat, TARGETS));
  console.log(fault ? fault.problem : 'no fault');
  process.exit(fault ? EXIT_CODE.internal : 0);
}
const start = performance.now();
const seconds = (): number => toSeconds(fromMillis(performance.now() - start));
const report = await fuzz({
  ...{ targets, seed: options.seed, guided: options.guided, boundsMemory: true },
  isOver: (inputs) => inputs >= options.inputs || seconds() > 60 * options.minutes,
});
print(report, seconds());
process.exit(report.faults.length > 0 ? EXIT_CODE.internal : 0);
