/** `netfold logs`: what endpoints have written, in a running experiment or in one that has ended. */
import { statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { count } from '../../../proto/words.ts';
import { suggest } from '../../../topology/model/names.ts';
import { ControllerError } from '../../errors.ts';
import { experimentNames, findExperiment, readState } from '../../experiment/state.ts';
import { type KeptRun, keptRuns, logIn } from '../../logs/kept.ts';
import { printLogs } from '../../logs/print-logs.ts';
import { type Output, printOutputs } from '../../logs/print-outputs.ts';
import { nodesNamed } from '../../logs/sources.ts';
import { logFolderOf } from '../../names.ts';
import { openPlatform } from '../../platform/registry.ts';
import { apiOption, caOption, nameOption } from '../options/name-option.ts';
import { printBytes, warn } from '../terminal/output.ts';

interface LogsOptions {
  readonly name?: string;
  readonly follow?: boolean;
  readonly tail?: number;
  readonly ended?: number;
  readonly api?: string;
}

export function addLogsCommand(program: Command): void {
  program
    .command('logs <node>')
    .description(
      'print what the commands of an endpoint, or of all of a service, have written, also after the end of the experiment',
    )
    .option('-f, --follow', 'go on with what they write, until the experiment ends')
    .addOption(
      new Option('--tail <lines>', 'only the last lines, of each endpoint').argParser((text) =>
        parseWhole(text, 0),
      ),
    )
    .addOption(nameOption('which experiment, if several are running, or one that has ended'))
    .addOption(
      new Option('--ended <number>', 'of the last run that has ended (1), the one before (2), …')
        .argParser((text) => parseWhole(text, 1))
        .conflicts('api'),
    )
    .addOption(apiOption())
    .addOption(caOption())
    .action(logs);
}

function parseWhole(text: string, least: number): number {
  if (!/^\d{1,9}$/.test(text) || Number(text) < least)
    throw new InvalidArgumentError(`write a whole number from ${least} on`);
  return Number(text);
}

/** Where logs are, and of which endpoints. */
interface Source {
  readonly experiment: string;
  readonly folder: string;
  readonly nodes: readonly string[];
  readonly isKept: boolean;
}

/** How late lines may come; looking costs a few microseconds for each file. */
const LOOK_MS = 200;

const numberOf = (folder: string): number | undefined => statSync(folder, { throwIfNoEntry: false })?.ino;

async function logs(node: string, options: LogsOptions): Promise<void> {
  if (options.api !== undefined) {
    const { api, name, follow = false, tail } = options;
    return (await import('./remote.ts')).logsAt({ api, name, node, follow, tail });
  }
  const { experiment, folder, nodes, isKept } = await findSource(options);
  const named = nodesNamed(node, nodes);
  if (named.length === 0) {
    const remedy = suggest(node, [...nodes], `there are: ${nodes.slice(0, 10).join(' ')}`);
    throw new ControllerError('NODE_UNKNOWN', `there is no endpoint "${node}" in ${experiment}`, remedy);
  }
  const files = named.map((one) => ({ node: one, path: logIn(folder, one) }));
  const { follow = false, tail } = options;
  const how = { follow, ...(tail !== undefined && { tail }) };
  const contained = isKept ? undefined : await containedOutputs(experiment, named, how);
  if (contained) {
    process.exitCode = await printOutputs(contained, how, printBytes);
    return;
  }
  const number = numberOf(folder);
  await printLogs(files, how, {
    write: printBytes,
    wait: () => sleep(LOOK_MS),
    // A kept run doesn't grow. Another experiment of the same name has another folder.
    hasEnded: () => isKept || numberOf(folder) !== number,
  });
}

/** Of endpoints that keep what their applications write by themselves; `undefined` where netfold keeps it. */
async function containedOutputs(
  experiment: string,
  named: readonly string[],
  how: { readonly follow: boolean; readonly tail?: number },
): Promise<Output[] | undefined> {
  const state = readState(experiment);
  const { contained } = state ? await openPlatform(state.platform) : {};
  const endpoints = state?.endpoints.filter(({ name }) => named.includes(name)) ?? [];
  const outputs: Output[] = [];
  for (const one of endpoints) {
    const words = await contained?.logs(one, how);
    if (words) outputs.push({ node: one.name, words });
  }
  return outputs.length > 0 ? outputs : undefined;
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
  return { experiment, folder: logFolderOf(experiment), nodes, isKept: false };
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
  return { experiment: run.name, folder: run.folder, nodes: run.nodes, isKept: true };
}
