/** The benches: `npm run bench -- NAME`. Each is one command, and says on what it was measured. */
import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import { print, printError, step, table } from '../controller/cli/output.ts';
import { DELAY_BACKENDS, type DelayBackendChoice } from '../proto/bootstrap.ts';
import { EXIT_CODE, exitCodeOf } from '../proto/errors.ts';
import { measureAccuracy } from './accuracy/accuracy.ts';
import { BenchError } from './errors.ts';
import { measureEvents } from './events/events.ts';
import { measureFaults } from './faults/faults.ts';
import { measureFolding } from './folding/folding.ts';
import { reportFromMachine } from './in-machine.ts';
import { Interruption } from './lab.ts';
import { measureMetadata } from './metadata/metadata.ts';
import { measureReaction } from './reaction/reaction.ts';
import { readMachineFacts } from './report/machine.ts';
import type { Report, Table } from './report/model.ts';
import { saveJson, saveResults } from './report/save.ts';
import { summary, terminalText } from './report/text.ts';
import { measureShares } from './shares/shares.ts';

/** As shells report a command that SIGINT ended. */
const EXIT_INTERRUPTED = 130;

const HELP = `
Needs root, as all labs do, and a machine with nothing else to do: whatever else runs is measured too.
Tables come on stdout, progress on stderr. A whole run leaves BENCH-linux-RELEASE.json and .md in bench/results/;
a quick one only what --json asks for. docs/benchmarks.md says how to read them.

Exit code 0 means that it was measured, not that all is well: the last line says how many rows are within their bounds.`;

const ACCURACY_HELP = `
Measures rates, delays, losses and jitter in real labs with real traffic, and prints target beside measured:
  npm run bench -- accuracy                        everything, with each backend that the kernel has (7 min each)
  npm run bench -- accuracy --quick                a look, with bounds that so few samples allow (1.5 min each)
  npm run bench -- accuracy --backend delay-line   only this one
  npm run bench -- accuracy --vm                   netem, on Debian's kernel in an emulated machine (12 min)
  npm run bench -- accuracy --json result.json     JSON also there`;

interface ReportOptions {
  readonly quick: boolean;
  readonly json?: string;
  /** Folder for JSON, Markdown and figures. */
  readonly save?: string;
}

/** What all benches share: measures, prints, saves. */
async function report(
  bench: string,
  { quick, json, save: folder }: ReportOptions,
  measure: () => Promise<readonly Table[] | Pick<Report, 'tables' | 'figures'>>,
): Promise<void> {
  const began = performance.now();
  const machine = await readMachineFacts();
  const measured = await measure();
  const seconds = (performance.now() - began) / 1000;
  const results = 'tables' in measured ? measured : { tables: measured };
  const result: Report = { bench, date: new Date().toISOString(), quick, seconds, machine, ...results };
  const saved = save(result, json);
  if (folder !== undefined) saved.push(...saveResults(result, folder));
  print(terminalText(result, table));
  for (const file of saved) step(`saved ${relative(process.cwd(), file)}`);
  print(`\n${summary(result)}`);
}

/** A quick run is no result to keep. Returns the files. */
function save(result: Report, json: string | undefined): string[] {
  const saved = result.quick ? [] : saveResults(result);
  if (json === undefined) return saved;
  saveJson(result, json);
  return [...saved, json];
}

function addAccuracy(program: Command): void {
  program
    .command('accuracy')
    .description('are rates, delays, losses and jitter what the topology says?')
    .addOption(
      new Option(
        '--backend <name>',
        'what delays packets; auto: all that the kernel has, one after the other',
      )
        .choices(DELAY_BACKENDS)
        .default('auto'),
    )
    .option('--quick', 'fewer samples: a look, not a result', false)
    .option('--json <file>', 'write the JSON to this file, too')
    .option('--vm', "measure netem on Debian's kernel, in an emulated machine", false)
    .addHelpText('after', ACCURACY_HELP)
    .action(async (options: ReportOptions & { backend: DelayBackendChoice; vm: boolean }) => {
      const interruption = new Interruption();
      if (options.vm) await accuracyInMachine(options, interruption);
      else await report('accuracy', options, () => measureAccuracy({ ...options, interruption, say: step }));
    });
}

const REACTION_HELP = `
Three TCP flows on two emulated hosts, while the topology changes: how long until every flow has its new share?
  npm run bench -- reaction                        five runs of each of the two timelines (8 min)
  npm run bench -- reaction --quick                one of each (1 min)`;

function addReaction(program: Command): void {
  program
    .command('reaction')
    .description('how soon after an event does every flow have its new share?')
    .option('--quick', 'fewer samples: a look, not a result', false)
    .option('--json <file>', 'write the JSON to this file, too')
    .option('--save <folder>', 'write everything there, also of a quick run')
    .addHelpText('after', REACTION_HELP)
    .action(async (options: ReportOptions) => {
      const interruption = new Interruption();
      await report('reaction', options, () => measureReaction({ ...options, interruption, say: step }));
    });
}

const EVENTS_HELP = `
How late events are: 200 within 10 s, and a link that flaps every 100 ms for a minute, on two emulated hosts.
  npm run bench -- events                          (1.5 min)
  npm run bench -- events --quick                  a flap of 15 s only`;

function addEvents(program: Command): void {
  program
    .command('events')
    .description('how late are events, and do they keep their times?')
    .option('--quick', 'fewer samples: a look, not a result', false)
    .option('--json <file>', 'write the JSON to this file, too')
    .option('--save <folder>', 'write everything there, also of a quick run')
    .addHelpText('after', EVENTS_HELP)
    .action(async (options: ReportOptions) => {
      const interruption = new Interruption();
      await report('events', options, () => measureEvents({ ...options, interruption, say: step }));
    });
}

/** Benches of arithmetic: no lab, no root. */
function addArithmetic(
  program: Command,
  name: string,
  description: string,
  measure: (quick: boolean, say: (text: string) => void) => Table[],
): void {
  program
    .command(name)
    .description(description)
    .option('--quick', 'fewer samples: a look, not a result', false)
    .option('--json <file>', 'write the JSON to this file, too')
    .option('--save <folder>', 'write everything there, also of a quick run')
    .addHelpText('after', '\nNeeds no root. Takes less than a minute.')
    .action((options: ReportOptions) => report(name, options, async () => measure(options.quick, step)));
}

const METADATA_HELP = `
Steady TCP on dumbbells over four emulated hosts: what do agents tell each other, and what would others have told?
  npm run bench -- metadata                        10, 50, 100 and 200 nodes (10 min)
  npm run bench -- metadata --quick                10 and 50 nodes (1.5 min)
  npm run bench -- metadata --clients 25           only this one: 25 clients, 25 servers`;

function addMetadata(program: Command): void {
  program
    .command('metadata')
    .description('what does it cost on the wire that hosts know of each other?')
    .option('--clients <numbers>', 'only with so many clients, e.g. 25,100')
    .option('--quick', 'fewer samples: a look, not a result', false)
    .option('--json <file>', 'write the JSON to this file, too')
    .option('--save <folder>', 'write everything there, also of a quick run')
    .addHelpText('after', METADATA_HELP)
    .action(async (options: ReportOptions & { clients?: string }) => {
      const interruption = new Interruption();
      const clients = options.clients?.split(',').map(Number);
      await report('metadata', options, () =>
        measureMetadata({ ...options, clients, interruption, say: step }),
      );
    });
}

const FAULTS_HELP = `
Agents of four hosts that are killed, stopped, cut off or badly connected, with traffic, events and commands beside.
  npm run bench -- faults                          210 faults (20 min)
  npm run bench -- faults --quick                  35 faults (3 min)
  npm run bench -- faults --faults 50 --seed 7     so many, and others`;

function addFaults(program: Command): void {
  program
    .command('faults')
    .description('how soon do agents agree again after a fault, and on the truth?')
    .option('--faults <count>', 'how many', Number)
    .option('--seed <number>', 'which', Number, 5)
    .option('--quick', 'fewer samples: a look, not a result', false)
    .option('--json <file>', 'write the JSON to this file, too')
    .option('--save <folder>', 'write everything there, also of a quick run')
    .addHelpText('after', FAULTS_HELP)
    .action(async (options: ReportOptions & { faults?: number; seed: number }) => {
      const interruption = new Interruption();
      const count = options.faults;
      await report('faults', options, () => measureFaults({ ...options, count, interruption, say: step }));
    });
}

/** The delay line needs a processor that wakes up on time, so the machine measures netem only. */
async function accuracyInMachine({ quick, json }: ReportOptions, interruption: Interruption): Promise<void> {
  const words = ['accuracy', '--backend', 'netem', ...(quick ? ['--quick'] : [])];
  const result = await reportFromMachine(words, interruption, (text) => process.stderr.write(text));
  const saved = save(result, json);
  for (const file of saved) step(`saved ${relative(process.cwd(), file)}`);
  print(summary(result));
}

// libuv's threads must start before this one enters a namespace: they would stay in it.
await readFile(import.meta.filename);

const program = new Command('npm run bench --')
  .description('Measures netfold on this machine.')
  .showSuggestionAfterError()
  .addHelpText('after', HELP)
  .exitOverride();
addAccuracy(program);
addReaction(program);
addEvents(program);
addArithmetic(program, 'shares', 'how long does it take to share links among 10,000 flows?', measureShares);
addArithmetic(
  program,
  'folding',
  'how long does it take to fold 4,000 nodes, in how much memory?',
  measureFolding,
);
addMetadata(program);
addFaults(program);
for (const command of program.commands) command.exitOverride();

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
