/** `netfold study`: a topology over a space of parameters, and what comes out as one table. */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, extname, isAbsolute, join } from 'node:path';
import { type Command, Option } from 'commander';
import { DELAY_BACKENDS, type DelayBackendChoice } from '../../../proto/bootstrap.ts';
import { EXIT_CODE } from '../../../proto/errors.ts';
import { count } from '../../../proto/words.ts';
import { EXIT_INTERRUPTED } from '../../errors.ts';
import { readStudy, type Study } from '../../workbench/studies/definition.ts';
import { StudyError } from '../../workbench/studies/errors.ts';
import { MOST_KEPT } from '../../workbench/studies/kept-records.ts';
import { type Space, spaceOf } from '../../workbench/studies/points.ts';
import type { RunOrder, RunOutcome } from '../../workbench/studies/run-once.ts';
import { type StudyEnd, StudyRunner, settingsText } from '../../workbench/studies/study.ts';
import { TABLES } from '../../workbench/studies/table.ts';
import { readText } from '../options/files.ts';
import { openTopology } from '../options/open-topology.ts';
import { wholeNumber } from '../options/whole-number.ts';
import { SIGNALS } from '../options/with-experiment.ts';
import { print, printJson, step, table, warn } from '../terminal/output.ts';

interface StudyFlags {
  readonly output?: string;
  readonly jobs: number;
  readonly tries: number;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly record: boolean;
  readonly keepRecords?: boolean;
  readonly delayBackend: DelayBackendChoice;
  readonly json?: boolean;
}

const HELP = `
  netfold study examples/studies/tcp.yaml --dry-run     how many runs, of which points
  netfold study examples/studies/tcp.yaml               run what has not been run yet
  netfold study tcp.yaml -o /tmp/tcp --jobs 1

docs/studies.md describes the file. Killed at any point, the same command goes on. Exit codes: 0 all runs are ok, 1 some failed, 4
some were not faithful.`;

/** Beyond so many runs, somebody has miscounted more often than not. */
const MOST_WITHOUT_YES = 10_000;
const MOST = 10_000_000;

export function addStudyCommand(program: Command): void {
  program
    .command('study <file>')
    .description('run a topology over a space of parameters, and make one table of what comes out')
    .option('-o, --output <folder>', 'where results are (default: FILE without its ending, and .results)')
    .addOption(
      new Option('--jobs <number>', 'runs at once; fewer where the machine does not keep so many faithful')
        .default(availableParallelism(), 'the number of processors')
        .argParser(wholeNumber),
    )
    .addOption(
      new Option('--tries <number>', 'how often a run is tried that fails, or is not faithful')
        .default(3)
        .argParser(wholeNumber),
    )
    .option('--yes', `also if it is more than ${MOST_WITHOUT_YES.toLocaleString('en')} runs`)
    .option('--dry-run', 'print how many runs it is, and the first points')
    .option('--no-record', 'keep a record of no run that is ok')
    .addOption(
      new Option(
        '--keep-records',
        `keep the record of each run (default: of the last ${MOST_KEPT})`,
      ).conflicts('record'),
    )
    .addOption(
      new Option('--delay-backend <name>', 'what delays packets; auto: netem where the kernel has it')
        .choices(DELAY_BACKENDS)
        .default('auto')
        .env('NETFOLD_DELAY_BACKEND'),
    )
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(study);
}

async function study(file: string, flags: StudyFlags): Promise<void> {
  const definition = readStudy(readText(file, 'the file of a study'), file);
  const space = spaceOf(definition);
  const folder = flags.output ?? join(dirname(file), `${basename(file, extname(file))}.results`);
  const ending = new AbortController();
  const runner = runnerOf({ definition, space, file, folder, flags, signal: ending.signal });
  tellSize(definition, space, runner, flags);
  runner.check();
  if (flags.dryRun) {
    printPoints(space, runner, flags);
    return;
  }
  await requireMachine();
  // Runs of a study must not push out those of the user.
  process.env.NETFOLD_LOGS = join(folder, 'logs');
  const interrupt = (name: NodeJS.Signals): void => {
    if (ending.signal.aborted) return;
    warn(`${name} came: the runs that go on are removed; the same command goes on later`);
    ending.abort(new Error(name));
  };
  for (const name of SIGNALS) process.on(name, interrupt);
  try {
    report(await runner.run(), folder, flags);
  } finally {
    for (const name of SIGNALS) process.off(name, interrupt);
  }
}

interface Given {
  readonly definition: Study;
  readonly space: Space;
  readonly file: string;
  readonly folder: string;
  readonly flags: StudyFlags;
  readonly signal: AbortSignal;
}

function runnerOf({ definition, space, file, folder, flags, signal }: Given): StudyRunner {
  const topology = topologyOf(definition, file);
  const { jobs, tries, delayBackend } = flags;
  const records = flags.record ? (flags.keepRecords ? 'all' : 'some') : 'none';
  // Looking at a study needs nothing of what runs it.
  const run = async (order: RunOrder): Promise<RunOutcome | undefined> =>
    (await import('../../workbench/studies/run-once.ts')).runOnce(order);
  return new StudyRunner(
    definition,
    space,
    { file, folder, jobs, tries, records, delayBackend, signal },
    { open: (set) => openTopology(topology, { set }), run, tell: step },
  );
}

/** A file beside that of the study, or a version of a template. */
function topologyOf({ topology }: Study, file: string): string {
  const beside = isAbsolute(topology) ? topology : join(dirname(file), topology);
  return existsSync(beside) || /[/\\.]/.test(topology.split('@')[0]!) ? beside : topology;
}

async function requireMachine(): Promise<void> {
  const { probeMachine } = await import('../../../agent/linux/probe/probe.ts');
  const { requireAbilities } = await import('../../machine/abilities.ts');
  requireAbilities(probeMachine());
}

/** Told before anything starts. Throws `StudyError` (`STUDY_TOO_LARGE`). */
function tellSize(
  { repeat, until }: Study,
  { count: points }: Space,
  { leastRepetitions, leastRuns }: StudyRunner,
  { yes = false, dryRun = false, jobs }: StudyFlags,
): void {
  const each = leastRepetitions === 1 ? '' : `, each ${leastRepetitions} times`;
  const more = until ? `, up to ${Math.max(until.most, repeat)} times until ${until.result} is known` : '';
  step(`${count(points, 'point')}${each}${more}: ${count(leastRuns, 'run')}, ${jobs} at once`);
  if (leastRuns > MOST || (leastRuns > MOST_WITHOUT_YES && !yes && !dryRun))
    throw new StudyError(
      'STUDY_TOO_LARGE',
      `the study has ${leastRuns.toLocaleString('en')} runs`,
      leastRuns > MOST
        ? `a study has ${MOST.toLocaleString('en')} at most`
        : 'write --yes if that is meant, or combine: random with points: 1000',
    );
}

const SHOWN_POINTS = 10;

function printPoints(space: Space, { leastRepetitions, leastRuns }: StudyRunner, { json }: StudyFlags): void {
  const first = Array.from({ length: Math.min(SHOWN_POINTS, space.count) }, (_, index) => space.at(index));
  if (json) printJson({ points: space.count, repetitions: leastRepetitions, runs: leastRuns, first });
  else {
    print(
      table(
        ['point', ...space.names],
        first.map(({ index, parameters }) => [
          String(index),
          ...space.names.map((name) => parameters[name]!),
        ]),
        [0],
      ),
    );
    if (space.count > first.length) print(`and ${(space.count - first.length).toLocaleString('en')} more`);
  }
}

const SHOWN_FAILURES = 20;

function report({ ok, notOk, isInterrupted }: StudyEnd, folder: string, { json }: StudyFlags): void {
  const unfaithful = notOk.filter(({ state }) => state === 'unfaithful').length;
  const failed = notOk.length - unfaithful;
  if (json) printJson({ folder, ok, failed, unfaithful, isInterrupted, notOk });
  else {
    for (const { parameters, repetition, state, reason, kept } of notOk.slice(0, SHOWN_FAILURES)) {
      const where = kept === null || !existsSync(join(folder, kept)) ? '' : ` (${join(folder, kept)})`;
      print(`${state}: ${settingsText(parameters)}, run ${repetition}: ${reason.split('\n')[0]}${where}`);
    }
    if (notOk.length > SHOWN_FAILURES) print(`and ${notOk.length - SHOWN_FAILURES} more, in ${TABLES.runs}`);
    print(`${count(ok, 'run')} ok, ${failed} failed, ${unfaithful} not faithful`);
    print(
      `results: ${Object.values(TABLES)
        .map((name) => join(folder, name))
        .join('  ')}`,
    );
  }
  if (isInterrupted) process.exitCode = EXIT_INTERRUPTED;
  else if (failed > 0) process.exitCode = EXIT_CODE.input;
  else if (unfaithful > 0) process.exitCode = EXIT_CODE.internal;
}
