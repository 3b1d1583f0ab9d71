/** `netfold swap`: experiments that rest, without anything of the machine. */
import { type Command, Option } from 'commander';
import { formatMicros, fromMillis, micros, parseDuration, toMillis } from '../../../proto/units.ts';
import { experimentNames, findExperiment, readState } from '../../experiment/state.ts';
import { forget, swapped, swappedFolder, swappedOnes } from '../../swapped/kept.ts';
import { activityOf, swapIn, swapOut, swappedIn } from '../../workbench/swap/swap.ts';
import { detached } from '../commands/detached.ts';
import { resume } from '../commands/up.ts';
import { print, printJson, progress, step, table, warn } from '../terminal/output.ts';

const HELP = `
  netfold swap out lab        keeps its topology, commands and files, and frees everything
  netfold swap in lab         makes it again, and goes on from there
  netfold swap idle --for 10m

docs/queue.md says what is kept.`;

export function addSwapCommand(program: Command): void {
  const swap = program
    .command('swap')
    .description('let an experiment rest, and bring it back')
    .addHelpText('after', HELP);
  swap
    .command('out [experiment]')
    .description('keep an experiment, and free everything that it has')
    .action(async (given: string | undefined) => out(await findExperiment(given)));
  swap
    .command('in <experiment>')
    .description('bring it back, until Ctrl-C, or on its own with --detach')
    .option('--detach', 'return when it is up')
    .action(bringBack);
  swap
    .command('ls')
    .description('list what is swapped out')
    .option('--json', 'print JSON')
    .action(({ json = false }: { json?: boolean }) => list(json));
  swap
    .command('rm <experiment...>')
    .description('remove what is kept of one, for good')
    .action((names: string[]) => {
      for (const name of names) {
        swapped(name);
        forget(name);
        print(`${name} is removed`);
      }
    });
  swap
    .command('idle')
    .description('which experiments do nothing')
    .addOption(
      new Option('--for <time>', 'for so long from now on')
        .default(parseDuration('1m'), '1m')
        .argParser(parseDuration),
    )
    .option('--out', 'swap them out')
    .option('--json', 'print JSON')
    .action(idle);
  for (const command of swap.commands) command.exitOverride();
}

async function out(experiment: string): Promise<void> {
  const { problems } = await swapOut(experiment);
  for (const problem of problems) warn(problem);
  const { elapsedMs } = swapped(experiment);
  print(
    `${experiment} is swapped out after ${formatMicros(fromMillis(Math.round(elapsedMs)))}; it comes back with: netfold swap in ${experiment}`,
  );
}

async function bringBack(experiment: string, { detach = false }: { detach?: boolean }): Promise<void> {
  await swapIn(experiment, { onStep: step, onProgress: progress });
  if (detach) {
    await detached('resume', [experiment]);
    if (process.exitCode === undefined) swappedIn(experiment);
  } else await resume(experiment, {}, () => swappedIn(experiment));
}

function list(json: boolean): void {
  const all = swappedOnes();
  if (json) printJson(all.map((one) => ({ ...one, folder: swappedFolder(one.experiment) })));
  else if (all.length === 0) print('no experiment is swapped out');
  else {
    const rows = all.map(({ experiment, swappedAt, elapsedMs }) => [
      experiment,
      swappedAt.slice(0, 19).replace('T', ' '),
      formatMicros(fromMillis(Math.round(elapsedMs))),
      swappedFolder(experiment),
    ]);
    print(table(['experiment', 'swapped out', 'after', 'folder'], rows));
  }
}

interface IdleOptions {
  readonly for: number;
  readonly out?: boolean;
  readonly json?: boolean;
}

async function idle(options: IdleOptions): Promise<void> {
  const forMs = toMillis(micros(options.for));
  const labs = (await experimentNames()).filter((name) => readState(name)?.platform === 'lab');
  const found = await Promise.all(
    labs.map(async (name) => ({ name, activity: await activityOf(name, forMs) })),
  );
  if (options.json)
    printJson(
      found.map(({ name, activity = null }) => ({ experiment: name, idle: activity === null, activity })),
    );
  for (const { name, activity } of found) {
    if (activity === undefined && options.out) await out(name);
    else if (!options.json)
      print(
        activity === undefined
          ? `${name} is idle (netfold swap out ${name})`
          : `${name} is not idle: ${activity}`,
      );
  }
}
