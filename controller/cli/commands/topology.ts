/** `netfold check`, `paths`, `share`, `timeline`: the content of a file. They need no root and change nothing. */
import { type Command, Option } from 'commander';
import { formatGreedyShares, greedyShares, parseFlowPairs } from '../../../agent/share/greedy-shares.ts';
import { formatMicros, parseDuration } from '../../../proto/units.ts';
import { count } from '../../../proto/words.ts';
import { Folding } from '../../../topology/fold/fold.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { nativeText, unwritable } from '../../../topology/formats/native/write.ts';
import { type LoadedTopology, loadTopology, TopologyError } from '../../../topology/load.ts';
import { decodeGraph } from '../../../topology/model/graph-json.ts';
import { checkReport, checkText, failedReport } from '../../../topology/report/check.ts';
import { pathsOfGraph, pathsReport } from '../../../topology/report/paths.ts';
import { timelineRows, timelineText } from '../../../topology/report/timeline.ts';
import { graphAt } from '../../../topology/timeline/graph-at.ts';
import { ControllerError } from '../../errors.ts';
import {
  addFileOptions,
  extrasOf,
  type FileOptions,
  openTopology,
  readText,
  warnOfFile,
} from '../options/files.ts';
import { apiOption, caOption, nameOption } from '../options/name-option.ts';
import { linesOf, print, printJson, printPieces, step } from '../terminal/output.ts';

const AT = (): Option =>
  new Option('--at <time>', 'with all events until then, e.g. 30s').argParser(parseDuration);
const JSON_FLAG = ['--json', 'print JSON'] as const;

export function addTopologyCommands(program: Command): void {
  addFileOptions(program.command('check <file>'))
    .description('validate a topology file; every error with its line and what to do')
    .option('--expand', 'print the file as it comes out: without variables, ranges, matrices and includes')
    .option(...JSON_FLAG)
    .action(check);
  addFileOptions(program.command('paths [file]'))
    .description('fold a topology: latency, jitter, loss and bandwidth of every path')
    .option(
      '--live',
      'instead of a file: the paths of a running experiment now, with all events and commands',
    )
    .addOption(nameOption('with --live: which experiment, if several are running'))
    .option('--from <name>', 'only from this endpoint or service')
    .option('--to <name>', 'only to this endpoint or service')
    .addOption(AT())
    .option(...JSON_FLAG)
    .addOption(apiOption())
    .addOption(caOption())
    .action(async (file: string | undefined, options) => {
      if (options.live) return livePaths(file, options);
      if (file === undefined)
        throw new ControllerError('PATHS_USAGE', 'paths needs a file, or --live', 'netfold paths FILE');
      const { topology, warnings } = openTopology(file, options);
      if (!options.json) warnOfFile(warnings);
      const { length } = topology.events;
      if (options.at === undefined && length > 0 && !options.json)
        step(
          `the file without its ${count(length, 'event')}; --at 0s has those of the start, --at 30s all until then`,
        );
      const report = pathsReport(topology, options);
      await printPieces(options.json ? report.json() : linesOf(report.text()));
    });
  addFileOptions(program.command('share <file>'))
    .description('the shares of greedy flows that run at once')
    .requiredOption('--flows <pairs>', 'e.g. "client.0>server,client.1>server"', parseFlowPairs)
    .addOption(AT())
    .option(...JSON_FLAG)
    .action((file: string, options) => {
      const { topology } = openTopology(file, options);
      const graph = options.at === undefined ? expandGraph(topology) : graphAt(topology, options.at);
      const rows = greedyShares(graph, new Folding(graph), options.flows);
      if (options.json) printJson(rows);
      else print(formatGreedyShares(rows));
    });
  addFileOptions(program.command('timeline <file>'))
    .description('the events as single changes, in order, with their epochs')
    .option(...JSON_FLAG)
    .action((file: string, options) => {
      const rows = timelineRows(openTopology(file, options).topology);
      if (options.json) printJson(rows);
      else print(timelineText(rows));
    });
}

interface LiveOptions extends FileOptions {
  readonly name?: string;
  readonly from?: string;
  readonly to?: string;
  readonly at?: unknown;
  readonly json?: boolean;
  readonly api?: string;
}

/** Every agent folds the same topology; the first that answers tells it. */
async function livePaths(file: string | undefined, options: LiveOptions): Promise<void> {
  if (file !== undefined || options.at !== undefined || options.events !== undefined || options.set)
    throw new ControllerError(
      'PATHS_USAGE',
      '--live shows a running experiment as it is now: without a file, --at, --events and --set',
      'netfold paths --live, or netfold paths FILE --at TIME',
    );
  if (options.api !== undefined)
    return (await import('./remote.ts')).pathsAt({ ...options, api: options.api });
  // Only this needs the modules of running experiments, whose loading takes longer than folding a file.
  const { liveGraph } = await import('../../experiment/live-graph.ts');
  const { experiment, now, graph } = await liveGraph(options.name);
  if (!options.json) step(`${experiment} ${now === null ? 'before its start' : `at ${formatMicros(now)}`}`);
  const report = pathsOfGraph(decodeGraph(graph), options);
  await printPieces(options.json ? report.json() : linesOf(report.text()));
}

interface CheckOptions extends FileOptions {
  readonly json?: boolean;
  readonly expand?: boolean;
}

/** An invalid file is a result of this command, not a failure: with --json, its errors are data too. */
function check(file: string, { json = false, expand = false, ...options }: CheckOptions): void {
  try {
    if (expand) {
      const { text, warnings } = expandedFile(file, options);
      warnOfFile(warnings);
      process.stdout.write(text);
      return;
    }
    const { topology, warnings } = openTopology(file, options);
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

/** The text of a topology file as it comes out. Throws as `openTopology` does. */
function expandedFile(
  file: string,
  options: FileOptions,
): { text: string; warnings: LoadedTopology['warnings'] } {
  const { events } = options;
  if (events !== undefined)
    throw new ControllerError(
      'EXPAND_EVENTS',
      'a script has no place in the expanded file',
      'leave out --events',
    );
  const extras = { ...extrasOf(file, options), isExpansionWanted: true };
  const loaded = loadTopology(readText(file, 'a topology file'), file, undefined, undefined, extras);
  return { text: loaded.expanded?.() ?? nativeText(writable(loaded, file)), warnings: loaded.warnings };
}

/** Of files of other programs, which have no text of netfold's own. */
function writable({ topology }: LoadedTopology, file: string): LoadedTopology['topology'] {
  if (unwritable(topology).length === 0) return topology;
  const message = `${file} has events that a topology file has no words for`;
  throw new ControllerError('CONVERT_EVENTS', message, 'use the file as it is: all commands read it');
}
