/** `netfold check`: whether a file is right. Loading modules takes longer than checking a thousand lines, so few are loaded here. */
import type { Command } from 'commander';
import type { LoadedTopology } from '../../../topology/loading.ts';
import { TopologyError } from '../../../topology/model/diagnostics.ts';
import { readTopology } from '../../../topology/read.ts';
import { checkReport, checkText, failedReport } from '../../../topology/report/check.ts';
import { ControllerError } from '../../errors.ts';
import { addFileOptions, extrasOf, type FileOptions, readText, warnOfFile } from '../options/files.ts';
import { openToRead } from '../options/read-topology.ts';
import { print, printJson } from '../terminal/output.ts';

export function addCheckCommand(program: Command): void {
  addFileOptions(program.command('check <file>'))
    .description('validate a topology file; every error with its line and what to do')
    .option('--expand', 'print the file as it comes out: without variables, ranges, matrices and includes')
    .option('--json', 'print JSON')
    .action(check);
}

interface CheckOptions extends FileOptions {
  readonly json?: boolean;
  readonly expand?: boolean;
}

/** An invalid file is a result of this command, not a failure: with --json, its errors are data too. */
async function check(
  file: string,
  { json = false, expand = false, ...options }: CheckOptions,
): Promise<void> {
  try {
    if (expand) {
      const { text, warnings } = await expandedFile(file, options);
      warnOfFile(warnings);
      process.stdout.write(text);
      return;
    }
    const { topology, warnings } = await openToRead(file, options);
    const report = checkReport(topology, warnings);
    if (json) printJson(report);
    else print(checkText(report, file));
  } catch (error) {
    if (!(error instanceof TopologyError)) throw error;
    const report = failedReport(error.diagnostics);
    if (json) printJson(report);
    else print(checkText(report, file));
    process.exitCode = 1;
  }
}

/** The text of a topology file as it comes out. Throws as `openToRead` does. */
async function expandedFile(
  file: string,
  options: FileOptions,
): Promise<{ text: string; warnings: LoadedTopology['warnings'] }> {
  const { events } = options;
  if (events !== undefined)
    throw new ControllerError(
      'EXPAND_EVENTS',
      'a script has no place in the expanded file',
      'leave out --events',
    );
  const extras = { ...extrasOf(file, options), isExpansionWanted: true };
  const loaded = await readTopology(readText(file, 'a topology file'), file, undefined, undefined, extras);
  return { text: loaded.expanded?.() ?? (await written(loaded, file)), warnings: loaded.warnings };
}

/** Of files of other programs, which have no text of netfold's own. */
async function written({ topology }: LoadedTopology, file: string): Promise<string> {
  const { nativeText, unwritable } = await import('../../../topology/formats/native/write.ts');
  if (unwritable(topology).length === 0) return nativeText(topology);
  const message = `${file} has events that a topology file has no words for`;
  throw new ControllerError('CONVERT_EVENTS', message, 'use the file as it is: all commands read it');
}
