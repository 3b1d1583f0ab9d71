/** `netfold graph`: a topology as a picture. */
import { existsSync, writeFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { type Micros, parseDuration } from '../../../proto/units.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { decodeGraph } from '../../../topology/model/graph-json.ts';
import type { Graph } from '../../../topology/model/model.ts';
import { PICTURE_FORMATS, type PictureFormat, pictureOf } from '../../../topology/report/picture.ts';
import { graphAt } from '../../../topology/timeline/graph-at.ts';
import { ControllerError } from '../../errors.ts';
import { apiOption, caOption, nameOption } from '../options/name-option.ts';
import { openToRead } from '../options/read-topology.ts';
import { print, printPieces } from '../terminal/output.ts';

interface GraphOptions {
  readonly format: PictureFormat;
  readonly output?: string;
  readonly at?: Micros;
  readonly name?: string;
  readonly api?: string;
}

export function addGraphCommand(program: Command): void {
  program
    .command('graph [source]')
    .description('draw a topology file, or a running experiment as it is now')
    .addOption(new Option('--format <name>', 'what is written').choices(PICTURE_FORMATS).default('mermaid'))
    .option('-o, --output <file>', 'write a file instead of stdout')
    .addOption(new Option('--at <time>', 'of a file: with all events until then').argParser(parseDuration))
    .addOption(nameOption('which experiment, if several are running'))
    .addOption(apiOption())
    .addOption(caOption())
    .action(draw);
}

async function draw(source: string | undefined, options: GraphOptions): Promise<void> {
  const { title, text } = await drawn(source, options);
  if (options.output === undefined) {
    await printPieces([text]);
    return;
  }
  try {
    writeFileSync(options.output, text);
  } catch (cause) {
    const message = `can't write ${options.output}: ${(cause as Error).message}`;
    throw new ControllerError('FILE_UNWRITABLE', message, undefined, cause);
  }
  print(`${title} is drawn in ${options.output}`);
}

async function drawn(
  source: string | undefined,
  options: GraphOptions,
): Promise<{ readonly title: string; readonly text: string }> {
  const { api, format, name, at } = options;
  if (api === undefined || isFile(source)) {
    const { title, graph } = await graphOf(source, options);
    return { title, text: pictureOf(graph, title, format) };
  }
  requireNow(at);
  const { connectApi, experimentAt } = await import('../options/api-option.ts');
  const client = connectApi(api);
  const experiment = await experimentAt(client, source ?? name);
  const { text } = await client.call('getPicture', { params: { experiment }, query: { format } });
  return { title: experiment, text };
}

/** Of this name, or what is written as a path; others are experiments. */
export const isFile = (source: string | undefined): source is string =>
  source !== undefined && (existsSync(source) || /[./]/.test(source));

/** Throws `GRAPH_USAGE`. */
export function requireNow(at: Micros | undefined): void {
  if (at === undefined) return;
  throw new ControllerError(
    'GRAPH_USAGE',
    '--at is for files: a running experiment is shown as it is now',
    'name a file',
  );
}

/** Of a file, if there is one of this name; else of the running experiment. Throws `ControllerError`, `TopologyError`. */
export async function graphOf(
  source: string | undefined,
  { at, name }: { readonly at?: Micros; readonly name?: string },
): Promise<{ readonly title: string; readonly graph: Graph; readonly experiment?: string }> {
  if (isFile(source)) {
    const { topology } = await openToRead(source);
    return { title: topology.name, graph: at === undefined ? expandGraph(topology) : graphAt(topology, at) };
  }
  requireNow(at);
  // Only this needs the modules of running experiments, whose loading takes longer than reading a file.
  const { liveGraph } = await import('../../experiment/live-graph.ts');
  const { experiment, graph } = await liveGraph(source ?? name);
  return { title: experiment, graph: decodeGraph(graph), experiment };
}
