/** `netfold paths`, `share`, `timeline`: the content of a file. They need no root and change nothing. */
import { type Command, Option } from 'commander';
import { formatGreedyShares, greedyShares, parseFlowPairs } from '../../../agent/share/greedy-shares.ts';
import { formatMicros, parseDuration } from '../../../proto/units.ts';
import { count } from '../../../proto/words.ts';
import { Folding } from '../../../topology/fold/fold.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { decodeGraph } from '../../../topology/model/graph-json.ts';
import { pathsOfGraph, pathsReport } from '../../../topology/report/paths.ts';
import { timelineRows, timelineText } from '../../../topology/report/timeline.ts';
import { graphAt } from '../../../topology/timeline/graph-at.ts';
import { ControllerError } from '../../errors.ts';
import { addFileOptions, type FileOptions, warnOfFile } from '../options/files.ts';
import { apiOption, caOption, nameOption } from '../options/name-option.ts';
import { openToRead } from '../options/read-topology.ts';
import { linesOf, print, printJson, printPieces, step } from '../terminal/output.ts';

const AT = (): Option =>
  new Option('--at <time>', 'with all events until then, e.g. 30s').argParser(parseDuration);
const JSON_FLAG = ['--json', 'print JSON'] as const;

export function addTopologyCommands(program: Command): void {
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
      const { topology, warnings } = await openToRead(file, options);
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
    .action(async (file: string, options) => {
      const { topology } = await openToRead(file, options);
      const graph = options.at === undefined ? expandGraph(topology) : graphAt(topology, options.at);
      const rows = greedyShares(graph, new Folding(graph), options.flows);
      if (options.json) printJson(rows);
      else print(formatGreedyShares(rows));
    });
  addFileOptions(program.command('timeline <file>'))
    .description('the events as single changes, in order, with their epochs')
    .option(...JSON_FLAG)
    .action(async (file: string, options) => {
      const rows = timelineRows((await openToRead(file, options)).topology);
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
