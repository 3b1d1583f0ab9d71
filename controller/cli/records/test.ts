/** `netfold test`: runs topology files, and judges what they expect. */
import { availableParallelism } from 'node:os';
import { type Command, Option } from 'commander';
import { parseDuration } from '../../../proto/units.ts';
import { count } from '../../../proto/words.ts';
import { EXIT_INTERRUPTED } from '../../errors.ts';
import { addLabOptions } from '../commands/up.ts';
import { wholeNumber } from '../options/whole-number.ts';
import { print, warn } from '../terminal/output.ts';
import { exitCodeOf, linesOf, writeResults } from './test-results.ts';
import { requireJudgeable, runAll } from './test-runs.ts';
import { type ShrinkOptions, shrinkFile } from './test-shrink.ts';

const HELP = `
  netfold test examples/expect/*.yaml
  netfold test lab.yaml --repeat 20 --junit report.xml
  netfold test lab.yaml --until-fail
  netfold test lab.yaml --shrink           write the events that make it fail to lab.shrunk.yaml

A file says under \`expect:\` what must hold; docs/expectations.md has the grammar. A run takes as long as its expectations need. Exit
codes: 0 all hold, 1 some do not, 3 this machine can't run it, 4 the emulation was not faithful, or the run can't say. Records of runs
that fail are kept.`;

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
    .addOption(
      new Option('--jobs <number>', 'so many runs at once, which may disturb each other')
        .default(1)
        .argParser(wholeNumber),
    )
    .option('--shrink [file]', 'find which events make it fail, and write a file with these alone')
    .addOption(
      new Option('--most-runs <number>', 'of --shrink: give up after so many')
        .default(30)
        .argParser(wholeNumber),
    )
    .option(
      '--record <folder>',
      'keep the records of runs below this folder (default: among those of `netfold records`)',
    )
    .option('--no-record', 'keep no record of any run')
    .option('--keep', 'keep the records of runs that hold as well')
    .option('--junit <file>', 'write JUnit XML')
    .option('--tap <file>', 'write TAP')
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(test);
}

async function test(files: readonly string[], options: ShrinkOptions): Promise<void> {
  requireJudgeable(files, options);
  warnOfJobs(options);
  if (options.shrink !== undefined) {
    process.exitCode = await shrinkFile(files, options);
    return;
  }
  const { results, isInterrupted } = await runAll(files, options, (result) => {
    if (!options.json) print(linesOf(result).join('\n'));
  });
  writeResults(results, options);
  process.exitCode = isInterrupted ? EXIT_INTERRUPTED : exitCodeOf(results);
}

/** Each run has agents and applications that need a processor when a packet is due. */
function warnOfJobs({ jobs }: ShrinkOptions): void {
  const processors = availableParallelism();
  if (jobs > processors)
    warn(
      `${jobs} runs at once on ${count(processors, 'processor')} disturb each other; those that are are run again alone`,
    );
}
