/** The benches: `npm run bench -- NAME`. Each is one command, and reports the machine that it measured on. */
import { readFile } from 'node:fs/promises';
import { Command, CommanderError } from 'commander';
import { printError, step } from '../controller/cli/terminal/output.ts';
import { EXIT_CODE, exitCodeOf } from '../proto/errors.ts';
import { runAll } from './all.ts';
import type { Bench } from './bench.ts';
import { BENCHES } from './benches.ts';
import { BenchError } from './errors.ts';
import { Interruption } from './lab.ts';
import { keepLogsApart } from './logs-apart.ts';
import { type ReportOptions, report } from './reporting.ts';
import { parseSizes } from './sizes.ts';

/** The exit code that shells report for a command that SIGINT ended. */
const EXIT_INTERRUPTED = 130;

const HELP = `
Needs root where it makes labs, and a machine with nothing else to do: whatever else runs is measured too.
Tables come on stdout, progress on stderr. A whole run leaves BENCH-linux-RELEASE.json and .md in bench/results/;
a quick one, or one of a part, only what --json or --save ask for. docs/benchmarks.md says how to read them.

Exit code 0 means that it was measured, not that all is well: the last line says how many rows are within their bounds.`;

type Given = Omit<ReportOptions, 'isWhole'> & {
  profile?: boolean;
  nodes?: string;
  clients?: string;
  hosts?: string;
};

function withReportOptions(command: Command): Command {
  return command.option('--quick', 'fewer samples: a look, not a result', false);
}

function addBench(program: Command, bench: Bench): void {
  const { name, description, minutes, sizes, canProfile, options = [], help } = bench;
  const command = withReportOptions(program.command(name).description(description))
    .option('--json <file>', 'write the JSON to this file, too')
    .option('--save <folder>', 'write everything there, also of a quick run');
  if (sizes) command.option(`--${sizes} <numbers>`, `only with so many ${sizes}, e.g. 20,50`);
  if (canProfile)
    command.option('--profile', 'show where the agents’ time goes; takes some more of it', false);
  for (const option of options) command.addOption(option);
  command.addHelpText('after', `\n${help}\nTakes ${minutes.whole} min; ${minutes.quick} min with --quick.`);
  command.action(async (given: Given) => {
    const run = {
      quick: given.quick,
      profile: given.profile ?? false,
      sizes: sizes && parseSizes(given[sizes], sizes),
      own: { ...given },
      interruption: new Interruption(bench.hasLabs ? undefined : []),
      say: step,
    };
    const isPart = run.sizes !== undefined || bench.isPart?.(run.own) === true;
    const isWhole = !run.quick && !run.profile && !isPart;
    await report(name, { ...given, isWhole }, () => bench.measure(run));
  });
}

function addAll(program: Command): void {
  withReportOptions(program.command('all').description('all of them, one after the other')).action(
    async ({ quick }: Given) => runAll(BENCHES, quick ? ['--quick'] : [], quick),
  );
}

// libuv's threads must start before this thread enters a namespace; otherwise they would start, and stay, in that
// namespace.
await readFile(import.meta.filename);

const program = new Command('npm run bench --')
  .description('Measures netfold on this machine.')
  .showSuggestionAfterError()
  .addHelpText('after', HELP)
  .exitOverride();
for (const bench of BENCHES) addBench(program, bench);
addAll(program);
for (const command of program.commands) command.exitOverride();

process.once('exit', keepLogsApart());
try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : EXIT_CODE.usage;
  else {
    printError(error);
    const interrupted = error instanceof BenchError && error.code === 'INTERRUPTED';
    process.exitCode = interrupted ? EXIT_INTERRUPTED : exitCodeOf(error);
  }
}
