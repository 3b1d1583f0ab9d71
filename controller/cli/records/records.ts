/** `netfold records`, `events`: what is kept of runs. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
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
import { changesSince, DESCRIPTION, type Description, readDescription } from '../../record/description.ts';
import {
  findRecord,
  type KeptRecord,
  keptRecords,
  nameOfRecord,
  pin,
  recordsFolder,
  unpin,
} from '../../record/folders.ts';
import { eventsOf, type RecordSummary, readRecord, stateOf } from '../../record/read.ts';
import { hasWriter } from '../../record/writer.ts';
import { apiOption, caOption } from '../options/name-option.ts';
import { print, printJson, step, table, warn } from '../terminal/output.ts';
import { writeOutput } from '../terminal/write-output.ts';
import { activitiesIn, activityLines, originLines } from './activities.ts';
import { addCheckCommand } from './export.ts';
import type { GatherOptions } from './gather.ts';

const HELP = `
  netfold records                     those of this machine, the last one first
  netfold records show lab            the last run of lab: flows, events, agents
  netfold records pin lab             never drop it for newer ones
  netfold records verify lab          is it as it was when the run ended?
  netfold records gather lab FOLDER   join the parts of several machines

With --api, the list, show and netfold events are about the experiments that run there, by their names.

RECORD is a name that the list shows, its beginning, an experiment's name (its last run), or a folder.`;

export function addRecordCommands(program: Command): void {
  const records = program
    .command('records')
    .description('list the records of runs, show one, keep or remove it')
    .addHelpText('after', HELP)
    .option('--json', 'print JSON')
    .addOption(apiOption())
    .addOption(caOption())
    .action(list);
  records
    .command('show <record>')
    .description('what happened in a run: flows, events, commands, agents')
    .option('--json', 'print JSON')
    .addOption(apiOption())
    .addOption(caOption())
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
    .addOption(apiOption())
    .addOption(caOption())
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

interface AskOptions {
  readonly json?: boolean;
  readonly api?: string;
}

/** A folder is read here, whatever is asked elsewhere. */
const isRecordHere = (given: string): boolean => existsSync(join(given, DESCRIPTION));

/** Only what asks another machine needs the modules for it. */
const elsewhere = () => import('./records-at.ts');

async function list({ json, api }: AskOptions): Promise<void> {
  const found = api === undefined ? keptRecords().map(listed) : await listedAt(api);
  if (json) printJson(found);
  else if (found.length > 0) print(listTable(found));
  else if (api !== undefined) step('no experiment that runs there is recorded');
  else step(`there are no records in ${recordsFolder()}; \`netfold up\` makes one of each run`);
}

/** A record as JSON lists it; `folder`, `pinned`: only those of this machine have them. */
interface Listed
  extends Pick<Description, 'id' | 'experiment' | 'startedAt' | 'endedAt' | 'endpoints' | 'hosts'> {
  readonly folder?: string;
  readonly state: RecordSummary['state'];
  readonly bytes: number;
  readonly pinned?: boolean;
}

function listed({ folder, description, bytes, pinned }: KeptRecord): Listed {
  const { id, experiment, startedAt, endedAt, endpoints, hosts } = description;
  const state = stateOf(description);
  return { id, experiment, folder, startedAt, endedAt, endpoints, hosts, state, bytes, pinned };
}

async function listedAt(api: string): Promise<Listed[]> {
  const { recordsAt } = await elsewhere();
  return (await recordsAt(api)).map(({ description, state, files }) => {
    const { id, experiment, startedAt, endedAt, endpoints, hosts } = description;
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    return { id, experiment, startedAt, endedAt, endpoints, hosts, state, bytes };
  });
}

function listTable(found: readonly Listed[]): string {
  const rows = found.map(({ id, endpoints, bytes, state, pinned }) => [
    id,
    String(endpoints),
    `${megabytes(bytes).toFixed(1)} MB`,
    [state, ...(pinned ? ['pinned'] : [])].join(', '),
  ]);
  return table(['record', 'endpoints', 'size', 'state'], rows, [1, 2]);
}

async function show(given: string, { json, api }: AskOptions): Promise<void> {
  if (api === undefined || isRecordHere(given)) {
    const summary = readRecord(findRecord(given));
    const activities = await activitiesIn(summary);
    if (json) printJson({ ...summary, activities });
    else print([...summaryLines(summary, summary.folder), ...activityLines(activities)].join('\n'));
    return;
  }
  const summary = await (await elsewhere()).recordAt(api, given);
  if (json) printJson(summary);
  else print(summaryLines(summary, `at ${api}`).join('\n'));
}

const MOST_SHOWN = 20;

function summaryLines(
  { description, state, lastMs, samples, flows, events, agents }: Omit<RecordSummary, 'folder'>,
  where: string,
): string[] {
  const { id, endpoints, hosts, machine, versions, delayBackend, problems } = description;
  const commit = versions.commit === null ? '' : ` (${versions.commit.slice(0, 12)})`;
  const shown = <T>(all: readonly T[], row: (one: T) => string[]): string[][] => [
    ...all.slice(0, MOST_SHOWN).map(row),
    ...(all.length > MOST_SHOWN ? [[`and ${all.length - MOST_SHOWN} more: --json has all`]] : []),
  ];
  const lines = [
    `${id}: ${state}, ${formatMicros(fromMillis(lastMs))}, ${count(endpoints, 'endpoint')} on ${count(hosts.length, 'host')}, ${count(samples, 'sample')}`,
    `  netfold ${versions.netfold}${commit}, Linux ${machine.kernel}, ${delayBackend}, ${machine.cpu}, ${machine.cores} cores`,
    `  ${where}`,
    ...originLines(description),
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

interface EventsOptions {
  readonly output?: string;
  readonly mostPause?: number;
  readonly api?: string;
}

async function events(given: string, { output, mostPause, api }: EventsOptions): Promise<void> {
  const { name, rows } = await happenedIn(given, api);
  const all = commandsOf(rows);
  const commands = mostPause === undefined ? all : withoutPauses(all, toMillis(micros(mostPause)));
  const heading = `What was done by hand in ${name}: ${count(all.length, 'command')}.`;
  const { text, omitted } = timelineText(commands, [heading]);
  for (const one of omitted) warn(`left out: ${one}`);
  writeOutput(text, output);
}

async function happenedIn(
  given: string,
  api: string | undefined,
): Promise<{ readonly name: string; readonly rows: RecordSummary['events'] }> {
  if (api === undefined || isRecordHere(given)) {
    const folder = findRecord(given);
    return { name: nameOfRecord(folder), rows: eventsOf(folder) };
  }
  const { recordAt, isCut } = await elsewhere();
  const record = await recordAt(api, given);
  if (isCut(record)) warn(`of more events, these are the last ${record.events.length}`);
  return { name: record.description.id, rows: record.events };
}
