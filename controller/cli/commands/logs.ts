/** `netfold logs`: what endpoints have written, in a running experiment or in one that has ended. */
import { createReadStream, existsSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { count } from '../../../proto/words.ts';
import { suggest } from '../../../topology/model/names.ts';
import { ControllerError } from '../../errors.ts';
import { experimentNames, findExperiment, readState } from '../../experiment/state.ts';
import { type KeptRun, keptRuns, logIn } from '../../logs/kept.ts';
import { nodesNamed } from '../../logs/sources.ts';
import { logFolderOf } from '../../names.ts';
import { warn } from '../terminal/output.ts';

interface LogsOptions {
  readonly name?: string;
  readonly ended?: number;
}

export function addLogsCommand(program: Command): void {
  program
    .command('logs <node>')
    .description("print what an endpoint's `run` command has written, also after the experiment's end")
    .option('--name <experiment>', 'which experiment, if several are running, or one that has ended')
    .addOption(
      new Option('--ended <number>', 'of the last run that has ended (1), the one before (2), …').argParser(
        parseEnded,
      ),
    )
    .action(logs);
}

function parseEnded(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('write a whole number from 1 on');
  return Number(text);
}

/** Where logs are, and of which endpoints. */
interface Source {
  readonly experiment: string;
  readonly folder: string;
  readonly nodes: readonly string[];
}

async function logs(node: string, options: LogsOptions): Promise<void> {
  const { experiment, folder, nodes } = await findSource(options);
  const named = nodesNamed(node, nodes);
  if (named.length > 1) {
    const remedy = `name one of ${named[0]} to ${named.at(-1)}`;
    throw new ControllerError('NODE_UNKNOWN', `"${node}" has ${named.length} replicas`, remedy);
  }
  if (named.length === 0) {
    const remedy = suggest(node, [...nodes], `there are: ${nodes.slice(0, 10).join(' ')}`);
    throw new ControllerError('NODE_UNKNOWN', `there is no endpoint "${node}" in ${experiment}`, remedy);
  }
  const file = logIn(folder, named[0]!);
  if (existsSync(file)) await pipeline(createReadStream(file), process.stdout, { end: false });
}

/** A running experiment if there is one of this name, or any; else the run that ended last. */
async function findSource({ name, ended }: LogsOptions): Promise<Source> {
  const kept = keptRuns(name);
  if (ended !== undefined) return keptSource(kept, ended, name);
  const running = await experimentNames();
  const isRunning = name === undefined ? running.length > 0 : running.includes(name);
  if (!isRunning && kept.length > 0) return keptSource(kept, 1, name);
  const experiment = await findExperiment(name);
  const nodes = readState(experiment)?.endpoints.map((endpoint) => endpoint.name) ?? [];
  return { experiment, folder: logFolderOf(experiment), nodes };
}

function keptSource(kept: readonly KeptRun[], ended: number, name: string | undefined): Source {
  const run = kept[ended - 1];
  if (!run) {
    const what = `${count(kept.length, 'run')}${name === undefined ? '' : ` of ${name}`}`;
    const list = kept.map((one, index) => `${index + 1}: ${one.name}, ended at ${one.endedAt}`);
    throw new ControllerError(
      'EXPERIMENT_UNKNOWN',
      `the logs of ${what} that ended are kept, not of ${ended}`,
      list.length > 0 ? list.join('; ') : 'only runs that wrote something are kept',
    );
  }
  warn(`${run.name} is not running: these are the logs of the run that ended at ${run.endedAt}`);
  return { experiment: run.name, folder: run.folder, nodes: run.nodes };
}
