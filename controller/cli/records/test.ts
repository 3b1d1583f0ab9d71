/** `netfold test`: runs topology files, and judges what they expect. */
import { basename } from 'node:path';
import { type Command, Option } from 'commander';
import { EXIT_CODE } from '../../../proto/errors.ts';
import {
  formatRatio,
  micros,
  millisToSeconds,
  parseDuration,
  ratio,
  toMillis,
} from '../../../proto/units.ts';
import { count } from '../../../proto/words.ts';
import { ControllerError, EXIT_INTERRUPTED } from '../../errors.ts';
import type { Judgement } from '../../expect/judge.ts';
import { annotationsOf, junitOf, sentenceOf, tapOf } from '../../expect/report/files.ts';
import { outcomeOf, type RunResult, wilson } from '../../expect/result.ts';
import { Watch } from '../../expect/watch.ts';
import { removeFolder } from '../../machine/folders.ts';
import { nameOfRecord } from '../../record/folders.ts';
import { addLabOptions } from '../commands/up.ts';
import { openTopology } from '../options/files.ts';
import { wholeNumber } from '../options/whole-number.ts';
import { type LabOptions, withExperiment } from '../options/with-experiment.ts';
import { print, printJson, step, styled } from '../terminal/output.ts';
import { writeOutput } from '../terminal/write-output.ts';

interface TestOptions extends Omit<LabOptions, 'record'> {
  readonly duration?: number;
  readonly repeat: number;
  readonly untilFail?: boolean;
  readonly keep?: boolean;
  readonly junit?: string;
  readonly tap?: string;
  readonly json?: boolean;
}

const HELP = `
  netfold test examples/expect/*.yaml
  netfold test lab.yaml --repeat 20 --junit report.xml
  netfold test lab.yaml --until-fail

A file says under \`expect:\` what must hold; docs/expectations.md has the grammar. A run takes as long as its expectations need. Exit
codes: 0 all hold, 1 some do not, 4 the emulation was not faithful, or the run can't say. Records of runs that fail are kept.`;

export function addTestCommand(program: Command): void {
  addLabOptions(program.command('test <file...>'))
    .description('run topology files, and say whether what they expect holds')
    .addOption(
      new Option(
        '--duration <time>',
        'run for this time (default: as long as the expectations need)',
      ).argParser(parseDuration),
    )
    .addOption(new Option('--repeat <number>', 'run each file so often').default(1).argParser(wholeNumber))
    .option('--until-fail', 'repeat until something does not hold')
    .option('--keep', 'keep the records of runs that hold as well')
    .option('--junit <file>', 'write JUnit XML')
    .option('--tap <file>', 'write TAP')
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(test);
}

async function test(files: readonly string[], options: TestOptions): Promise<void> {
  requireExpectations(files, options);
  const results: RunResult[] = [];
  for (const file of files) {
    for (let run = 1; options.untilFail || run <= options.repeat; run++) {
      const result = await runOnce(file, run, options);
      if (!result) {
        process.exitCode = EXIT_INTERRUPTED;
        write(results, options);
        return;
      }
      results.push(result);
      if (!options.json) print(linesOf(result).join('\n'));
      if (options.untilFail && result.outcome !== 'holds') break;
    }
  }
  write(results, options);
  process.exitCode = exitCodeOf(results);
}

/** All files are read before the first one runs. */
function requireExpectations(files: readonly string[], options: TestOptions): void {
  for (const file of files) {
    const { expectations = [] } = openTopology(file, options).topology;
    if (expectations.length > 0) continue;
    throw new ControllerError(
      'EXPECT_NOTHING',
      `${file} expects nothing`,
      'write under expect: what must hold, e.g. - rtt client server < 50ms (docs/expectations.md)',
    );
  }
}

/** `undefined`: a signal came. */
async function runOnce(file: string, run: number, options: TestOptions): Promise<RunResult | undefined> {
  const began = performance.now();
  let record: string | undefined;
  const judgements = await withExperiment(file, options, async (experiment, { signal }) => {
    record = experiment.record;
    const supervision = experiment.supervise(step).catch(() => {});
    const watch = new Watch(experiment, experiment.topology.expectations ?? [], await experiment.run());
    try {
      const { duration } = options;
      const durationMs = duration === undefined ? undefined : toMillis(micros(duration));
      await Promise.race([watch.untilJudged(durationMs, signal), supervision]);
      return signal.aborted ? undefined : await watch.judge();
    } finally {
      watch.stop();
    }
  });
  if (!judgements) return undefined;
  const outcome = outcomeOf(judgements);
  const isKept = outcome !== 'holds' || options.keep === true;
  if (!isKept && record !== undefined) removeFolder(record);
  const seconds = millisToSeconds(performance.now() - began);
  return {
    ...{ file, run, seconds, outcome, judgements },
    ...(isKept && record !== undefined && { record }),
  };
}

const MARKS: Readonly<Record<Judgement['outcome'], string>> = {
  holds: styled('green', '✓'),
  fails: styled('red', '✗'),
  inconclusive: styled('yellow', '?'),
};

function linesOf({ file, run, seconds, judgements, record }: RunResult): string[] {
  const again = run > 1 ? `, run ${run}` : '';
  return [
    `${file}${again} (${seconds.toFixed(1)} s)`,
    ...judgements.map((one) => `  ${MARKS[one.outcome]} ${one.expectation.line}: ${sentenceOf(one)}`),
    ...(record === undefined ? [] : [`  its record: netfold records show ${nameOfRecord(record)}`]),
  ];
}

function write(results: readonly RunResult[], { junit, tap, json }: TestOptions): void {
  if (junit !== undefined) writeOutput(junitOf(results), junit);
  if (tap !== undefined) writeOutput(tapOf(results), tap);
  if (process.env.GITHUB_ACTIONS === 'true') for (const line of annotationsOf(results)) print(line);
  if (json) printJson({ results, ...countsOf(results) });
  else print(summaryOf(results).join('\n'));
}

const countsOf = (results: readonly RunResult[]): Record<Judgement['outcome'], number> => ({
  holds: results.filter(({ outcome }) => outcome === 'holds').length,
  fails: results.filter(({ outcome }) => outcome === 'fails').length,
  inconclusive: results.filter(({ outcome }) => outcome === 'inconclusive').length,
});

function summaryOf(results: readonly RunResult[]): string[] {
  const { holds, fails, inconclusive } = countsOf(results);
  const parts = [`${holds} hold`, `${fails} fail`, `${inconclusive} inconclusive`];
  const lines = [`${count(results.length, 'run')}: ${parts.join(', ')}`];
  for (const [file, runs] of Map.groupBy(results, (one) => one.file)) {
    const judged = runs.filter(({ outcome }) => outcome !== 'inconclusive');
    if (judged.length < 2) continue;
    const held = judged.filter(({ outcome }) => outcome === 'holds').length;
    const { low, high } = wilson(held, judged.length);
    const part = (value: number): string => formatRatio(ratio(Number(value.toFixed(4))));
    lines.push(
      `${basename(file)} holds in ${part(held / judged.length)} of runs (95 %: ${part(low)} to ${part(high)})`,
    );
  }
  return lines;
}

function exitCodeOf(results: readonly RunResult[]): number {
  const { fails, inconclusive } = countsOf(results);
  if (fails > 0) return EXIT_CODE.input;
  return inconclusive > 0 ? EXIT_CODE.internal : 0;
}
