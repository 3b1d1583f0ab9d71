/** `netfold records`, `events`: what is kept of runs. */
import { type Command, Option } from 'commander';
import { EXIT_CODE } from '../../../proto/errors.ts';
import {
  formatMicros,
  formatRate,
  fromMillis,
  megabytes,
  micros,
  parseDuration,
  toMillis,
} from '../../../proto/units.ts';
import { count } from '../../../proto/words.ts';
import { ControllerError } from '../../errors.ts';
import { removeFolder } from '../../machine/folders.ts';
import { commandsOf, timelineText, withoutPauses } from '../../record/by-hand.ts';
import { changesSince, readDescription } from '../../record/description.ts';
import { findRecord, keptRecords, nameOfRecord, pin, recordsFolder, unpin } from '../../record/folders.ts';
import { eventsOf, type RecordSummary, readRecord, stateOf } from '../../record/read.ts';
import { hasWriter } from '../../record/recorder.ts';
import { print, printJson, step, table, warn } from '../terminal/output.ts';
import { writeOutput } from '../terminal/write-output.ts';
import { addCheckCommand } from './export.ts';
import type { GatherOptions } from './gather.ts';

const HELP = `
  netfold records                     those of this machine, the last one first
  netfold records show lab            the last run of lab: flows, events, agents
  netfold records pin lab             never drop it for newer ones
  netfold records verify lab          is it as it was when the run ended?
  netfold records gather lab FOLDER   join the parts of several machines

RECORD is a name that the list shows, its beginning, an experiment's name (its last run), or a folder.`;

export function addRecordCommands(program: Command): void {
  const records = program
    .command('records')
    .description('list the records of runs, show one, keep or remove it')
    .addHelpText('after', HELP)
    .option('--json', 'print JSON')
    .action(list);
  records
    .command('show <record>')
    .description('what happened in a run: flows, events, commands, agents')
    .option('--json', 'print JSON')
    .action(show);
  records
    .command('pin <record>')
    .description('keep it, however many newer ones there are')
    .action((given: string) => pin(findRecord(given)));
  records
    .command('unpin <record>')
    .description('let it give way to newer ones again')
    .action((given: string) => unpin(findRecord(given)));
  records
    .command('rm <record...>')
    .description('remove records')
    .action((given: string[]) => remove(given.map((one) => findRecord(one))));
  records.command('verify <record>').description('compare every file with its hash').action(verify);
  addGatherCommand(records);
  addCheckCommand(records);
  program
    .command('events <record>')
    .description('write what was done by hand in a run as lines of a timeline')
    .option('-o, --output <file>', 'write there instead of printing')
    .addOption(
      new Option(
        '--most-pause <time>',
        'shorten longer pauses between two commands to this, e.g. 5s',
      ).argParser(parseDuration),
    )
    .action(events);
}

const GATHER_HELP = `
  netfold records gather wan --inventory hosts.yaml        fetch the parts of a run of netfold inject --record over SSH
  netfold records gather wan /mnt/par /mnt/nyc             join with records of other machines in these folders (or by their names)

RECORD is a part of this machine; the others are of the same start. Without one here, it is the name of the experiment on the hosts,
and the last start that is found counts. The parts stay as they are.`;

function addGatherCommand(records: Command): void {
  records
    .command('gather <record> [from...]')
    .description('join the parts of a run that hosts of several machines have written')
    .option('--inventory <file>', 'fetch the parts of these hosts over SSH (docs/inject.md)')
    .option('--ssh-config <file>', "instead of ~/.ssh/config, as ssh's -F")
    .option(
      '-o, --output <folder>',
      'keep the joined record there (default: among those of `netfold records`)',
    )
    .addHelpText('after', GATHER_HELP)
    .action(async (given: string, from: readonly string[], options: GatherOptions) => {
      // It needs all of SSH and of the formats, which others of these commands do not.
      const { gather } = await import('./gather.ts');
      await gather(given, from, options);
    });
}

function list({ json }: { json?: boolean }): void {
  const found = keptRecords();
  if (json) {
    printJson(
      found.map(({ folder, description, bytes, pinned }) => {
        const { id, experiment, startedAt, endedAt, endpoints, hosts } = description;
        return {
          id,
          experiment,
          folder,
          startedAt,
          endedAt,
          endpoints,
          hosts,
          state: stateOf(description),
          bytes,
          pinned,
        };
      }),
    );
    return;
  }
  if (found.length === 0) {
    step(`there are no records in ${recordsFolder()}; \`netfold up\` makes one of each run`);
    return;
  }
  const rows = found.map(({ description, bytes, pinned }) => [
    description.id,
    String(description.endpoints),
    `${megabytes(bytes).toFixed(1)} MB`,
    [stateOf(description), ...(pinned ? ['pinned'] : [])].join(', '),
  ]);
  print(table(['record', 'endpoints', 'size', 'state'], rows, [1, 2]));
}

function show(given: string, { json }: { json?: boolean }): void {
  const summary = readRecord(findRecord(given));
  if (json) printJson(summary);
  else print(summaryLines(summary).join('\n'));
}

const MOST_SHOWN = 20;

function summaryLines({
  description,
  state,
  lastMs,
  samples,
  flows,
  events,
  agents,
  folder,
}: RecordSummary): string[] {
  const { id, endpoints, hosts, machine, versions, delayBackend, problems } = description;
  const commit = versions.commit === null ? '' : ` (${versions.commit.slice(0, 12)})`;
  const shown = <T>(all: readonly T[], row: (one: T) => string[]): string[][] => [
    ...all.slice(0, MOST_SHOWN).map(row),
    ...(all.length > MOST_SHOWN ? [[`and ${all.length - MOST_SHOWN} more: --json has all`]] : []),
  ];
  const lines = [
    `${id}: ${state}, ${formatMicros(fromMillis(lastMs))}, ${count(endpoints, 'endpoint')} on ${count(hosts.length, 'host')}, ${count(samples, 'sample')}`,
    `  netfold ${versions.netfold}${commit}, Linux ${machine.kernel}, ${delayBackend}, ${machine.cpu}, ${machine.cores} cores`,
    `  ${folder}`,
    ...problems.map((problem) => `  missing: ${problem}`),
  ];
  if (flows.length > 0) {
    const rows = shown(
      flows,
      ({ source, destination, meanRateBps, mostRateBps, meanShareBps, samples: seen }) => [
        `${source} → ${destination}`,
        formatRate(meanRateBps),
        formatRate(mostRateBps),
        meanShareBps === null ? 'no limit' : formatRate(meanShareBps),
        `${seen} s`,
      ],
    );
    lines.push('', table(['flow', 'mean rate', 'most', 'mean share', 'for'], rows, [1, 2, 3, 4]));
  }
  if (events.length > 0) {
    const rows = shown(events, ({ dueMs, tMs, origin, text, outcome }) => [
      formatMicros(fromMillis(dueMs)),
      tMs === null ? (outcome ?? '') : `+${(tMs - dueMs).toFixed(1)} ms`,
      origin,
      text,
    ]);
    lines.push('', table(['at', 'in force', 'by', 'event'], rows, [0, 1]));
  }
  if (agents.length > 0) {
    const rows = shown(agents, ({ host, cores, mostMemoryBytes, mostTickMs }) => [
      host,
      `${(cores * 100).toFixed(1)} %`,
      `${megabytes(mostMemoryBytes).toFixed(0)} MB`,
      `${mostTickMs.toFixed(2)} ms`,
    ]);
    lines.push('', table(['agent', 'processor', 'memory', 'tick'], rows, [1, 2, 3]));
  }
  return lines;
}

function remove(folders: readonly string[]): void {
  for (const folder of folders) {
    if (hasWriter(readDescription(folder)))
      throw new ControllerError(
        'RECORD_BUSY',
        `${nameOfRecord(folder)} is being written`,
        'end its experiment first: netfold down',
      );
    removeFolder(folder);
  }
}

async function verify(given: string): Promise<void> {
  const folder = findRecord(given);
  const description = readDescription(folder);
  const name = nameOfRecord(folder);
  if (description.state !== 'complete')
    throw new ControllerError('RECORD_INCOMPLETE', `${name} is not complete, so it has no hashes yet`);
  const changes = await changesSince(folder, description);
  for (const change of changes) warn(change);
  if (changes.length > 0) process.exitCode = EXIT_CODE.input;
  else print(`${name}: ${count(Object.keys(description.files).length, 'file')}, as when the run ended`);
}

function events(given: string, { output, mostPause }: { output?: string; mostPause?: number }): void {
  const folder = findRecord(given);
  const all = commandsOf(eventsOf(folder));
  const commands = mostPause === undefined ? all : withoutPauses(all, toMillis(micros(mostPause)));
  const heading = `What was done by hand in ${nameOfRecord(folder)}: ${count(all.length, 'command')}.`;
  const { text, omitted } = timelineText(commands, [heading]);
  for (const one of omitted) warn(`left out: ${one}`);
  writeOutput(text, output);
}
