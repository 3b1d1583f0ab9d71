/** `netfold report`, `export`, `records check`: a record for readers and for other programs. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { EXIT_CODE } from '../../../proto/errors.ts';
import { formatRate } from '../../../proto/units.ts';
import { count } from '../../../proto/words.ts';
import { ControllerError } from '../../errors.ts';
import { removeFolder } from '../../machine/folders.ts';
import { isAsRun } from '../../record/again.ts';
import { changesSince, type Description, readDescription } from '../../record/description.ts';
import type { Checked } from '../../record/export/expected.ts';
import type { Licence } from '../../record/export/licence.ts';
import { findRecord, nameOfRecord } from '../../record/folders.ts';
import { readRecord } from '../../record/read.ts';
import { print, printJson, step, styled, table, warn } from '../terminal/output.ts';
import { writeOutput } from '../terminal/write-output.ts';
import { activitiesIn } from './activities.ts';

const HELP = `
  --csv        one file a table, with a heading (RFC 4180)
  --parquet    the same as Apache Parquet, for DuckDB, pandas, Spark
  --ro-crate   the record with metadata of a Workflow Run RO-Crate 0.6, for archives
  --pcapng     all packets that netfold capture --record has taken, by one clock, with what became of them
  --artifact   a bundle for artifact evaluation: README, licence, a script that runs it again, expected results with tolerances

docs/records.md has the rest.`;

export function addExportCommands(program: Command): void {
  program
    .command('report <record>')
    .description('write a record as one page of HTML: verdict, topology, rates, paths, events, costs')
    .option('-o, --output <file>', 'the file (default: the name of the record, in this folder)')
    .option('--pdf', 'as PDF, by the Chromium of this machine')
    .action(report);
  const kinds = KINDS.map(({ flag, help }) =>
    new Option(`--${flag}`, help).conflicts(KINDS.filter((one) => one.flag !== flag).map(({ name }) => name)),
  );
  const command = program
    .command('export <record>')
    .description('write a record for other programs, archives and reviewers')
    .option('-o, --output <folder>', 'folder for the files (default: the name of the record)')
    .option(
      '--license <name|file>',
      '--ro-crate, --artifact: a name of spdx.org/licenses such as CC-BY-4.0, or a file',
    )
    .addHelpText('after', HELP)
    .action(exportRecord);
  for (const kind of kinds) command.addOption(kind);
}

const KINDS = [
  { flag: 'csv', name: 'csv', help: 'the tables as CSV' },
  { flag: 'parquet', name: 'parquet', help: 'the tables as Parquet' },
  { flag: 'pcapng', name: 'pcapng', help: 'the packets of all captures as one file' },
  { flag: 'ro-crate', name: 'roCrate', help: 'the record as a Workflow Run RO-Crate' },
  { flag: 'artifact', name: 'artifact', help: 'a bundle for artifact evaluation' },
] as const;

type Kind = (typeof KINDS)[number]['name'];

interface ExportOptions extends Partial<Record<Kind, boolean>> {
  readonly output?: string;
  readonly license?: string;
}

/** What whoever believes a record has to know. It takes as long as reading all of it. */
export async function editedIn(folder: string, description: Description): Promise<string[]> {
  if (description.state !== 'complete') return [];
  const changes = await changesSince(folder, description);
  if (changes.length === 0) return [];
  const more = changes.length > 3 ? ` and ${changes.length - 3} more` : '';
  return [`this record is not as it was when the run ended: ${changes.slice(0, 3).join(', ')}${more}`];
}

/** Warns of a record whose topology is not the one that was run. */
export function warnOfEdits(folder: string, description: Description): void {
  if (isAsRun({ folder, description })) return;
  warn(`the topology in ${nameOfRecord(folder)} was changed since: its hash is another one`);
}

type LinkTo = (path: string) => string;

const addressOf = (path: string): string => path.split('/').map(encodeURIComponent).join('/');

async function pageOf(folder: string, linkTo: LinkTo): Promise<string> {
  const { reportData } = await import('../../record/report/data.ts');
  const { reportPage } = await import('../../record/report/page.ts');
  return reportPage(reportData(folder), linkTo, await editedIn(folder, readDescription(folder)));
}

async function report(given: string, { output, pdf }: { output?: string; pdf?: boolean }): Promise<void> {
  const folder = findRecord(given);
  const file = output ?? `${basename(folder)}.${pdf ? 'pdf' : 'html'}`;
  const base = dirname(resolve(file));
  const page = await pageOf(folder, (path) => addressOf(relative(base, join(folder, path))));
  if (!pdf) {
    writeOutput(page, file);
    return;
  }
  const { printPdf } = await import('../../record/report/pdf.ts');
  await printPdf(page, file);
  step(`wrote ${file}`);
}

async function exportRecord(given: string, options: ExportOptions): Promise<void> {
  const kind = KINDS.find(({ name }) => options[name]);
  if (!kind)
    throw new ControllerError(
      'EXPORT_USAGE',
      'export needs to know as what',
      `write one of ${KINDS.map(({ flag }) => `--${flag}`).join(', ')}`,
    );
  const folder = findRecord(given);
  const to = resolve(options.output ?? `${basename(folder)}${kind.name === 'csv' ? '' : `-${kind.flag}`}`);
  if (kind.name === 'csv' || kind.name === 'parquet') await exportTables(kind.name, folder, to);
  else if (kind.name === 'pcapng') await exportCaptures(folder, to);
  else await exportFolder(kind.name, folder, to, options.license);
}

async function exportTables(kind: 'csv' | 'parquet', folder: string, to: string): Promise<void> {
  if (!existsSync(to)) mkdirSync(to);
  const files =
    kind === 'csv'
      ? (await import('../../record/export/csv.ts')).exportCsv(folder, to)
      : await (await import('../../record/export/parquet.ts')).exportParquet(folder, to);
  const { exportCaptureIndexes } = await import('../../record/export/captures.ts');
  files.push(...exportCaptureIndexes(folder, to));
  const rows = files.map(({ file, rows }) => [file, rows.toLocaleString('en')]);
  print(table(['file', 'rows'], rows, [1]));
}

async function exportCaptures(folder: string, to: string): Promise<void> {
  const { exportPackets } = await import('../../capture/from-record.ts');
  const { netfoldVersion } = await import('../../machine/version.ts');
  if (!existsSync(to)) mkdirSync(to);
  const { file, captures, packets, ends } = exportPackets(folder, to, `netfold ${netfoldVersion()}`);
  const { sent, arrived, lost, unknown } = ends;
  const fates =
    sent === 0
      ? ''
      : `; of ${sent} sent from one capture's end to another's ${arrived} arrived, ${lost} lost, ${unknown} not known`;
  print(`${file}: ${count(packets, 'packet')} of ${count(captures, 'capture')}${fates}`);
}

async function exportFolder(
  kind: 'roCrate' | 'artifact',
  folder: string,
  to: string,
  given: string | undefined,
): Promise<void> {
  const { licenceOf } = await import('../../record/export/licence.ts');
  const licence = licenceOf(given);
  if (existsSync(to) && readdirSync(to).length > 0)
    throw new ControllerError(
      'RECORD_EXISTS',
      `${to} has files already`,
      'name a folder that is new or empty: -o',
    );
  const isNew = mkdirSync(to, { recursive: true }) !== undefined;
  if (given === undefined) warn('no licence is given, so nobody may use it: --license CC-BY-4.0, or a file');
  try {
    await fillFolder(kind, folder, to, licence);
  } catch (error) {
    // A half of it must not look like the whole.
    if (isNew) removeFolder(to);
    else for (const name of readdirSync(to)) removeFolder(join(to, name));
    throw error;
  }
}

async function fillFolder(
  kind: 'roCrate' | 'artifact',
  folder: string,
  to: string,
  licence: Licence,
): Promise<void> {
  if (kind === 'roCrate') {
    const { exportCrate } = await import('../../record/export/ro-crate.ts');
    const extras = {
      ...{ licence, report: await pageOf(folder, addressOf), sketch: await sketch(folder) },
      activities: await activitiesIn(readRecord(folder)),
    };
    const files = await exportCrate(folder, to, extras);
    print(`${to}: ${files.length} files, described in ${files[0]}`);
    return;
  }
  const { exportArtifact } = await import('../../record/export/artifact.ts');
  const page = await pageOf(folder, (path) => `record/${addressOf(path)}`);
  await exportArtifact(folder, to, { licence, report: page });
  print(`${to}: sudo ./run.sh in it runs everything again`);
}

async function sketch(folder: string): Promise<string | undefined> {
  const { sketchOf } = await import('../../record/report/network.ts');
  const { topologyOf } = await import('../../record/topology-of.ts');
  const { expandGraph } = await import('../../../topology/fold/graph.ts');
  const description = readDescription(folder);
  try {
    return sketchOf(expandGraph(topologyOf({ folder, description })), description.experiment);
  } catch {
    // A topology of a later netfold: the crate is whole without a picture.
    return undefined;
  }
}

export function addCheckCommand(records: Command): void {
  records
    .command('check <record> <file>')
    .description('whether a run gave what expected.json of an artifact says, within its tolerances')
    .option('--json', 'print JSON')
    .action(check);
}

async function check(given: string, file: string, { json }: { json?: boolean }): Promise<void> {
  const { checkRecord, readExpected } = await import('../../record/export/expected.ts');
  const checked = checkRecord(findRecord(given), readExpected(file));
  const failed = checked.filter(({ holds }) => !holds);
  if (json) printJson(checked);
  else {
    const rows = checked.map((one) => [
      one.holds ? styled('green', '✓') : styled('red', '✗'),
      `${one.kind} ${one.what}`,
      textOf(one, one.expected),
      one.tolerance === null ? '' : `± ${textOf(one, one.tolerance)}`,
      one.found === null ? 'not there' : textOf(one, one.found),
    ]);
    print(table(['', 'what', 'expected', 'tolerance', 'found'], rows, [2, 3, 4]));
    print(
      failed.length === 0
        ? 'all is as expected'
        : `${failed.length} of ${checked.length} are not as expected`,
    );
  }
  if (failed.length > 0) process.exitCode = EXIT_CODE.input;
}

function textOf({ kind }: Checked, value: number | string): string {
  if (typeof value === 'string') return value;
  return kind === 'flow' ? formatRate(Number(value.toPrecision(4))) : `${value.toFixed(2)} ms`;
}
