/** `netfold graph`: a topology as a picture. */
import { existsSync, writeFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { type Micros, parseDuration } from '../../../proto/units.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { decodeGraph } from '../../../topology/model/graph-json.ts';
import type { Graph } from '../../../topology/model/model.ts';
import { type Drawing, dot, drawingOf, mermaid } from '../../../topology/report/drawing.ts';
import { svg } from '../../../topology/report/svg.ts';
import { graphAt } from '../../../topology/timeline/graph-at.ts';
import { ControllerError } from '../../errors.ts';
import { openTopology } from '../options/files.ts';
import { nameOption } from '../options/name-option.ts';
import { print, printPieces } from '../terminal/output.ts';

const FORMATS = ['mermaid', 'dot', 'svg'] as const;
type Format = (typeof FORMATS)[number];

interface GraphOptions {
  readonly format: Format;
  readonly output?: string;
  readonly at?: Micros;
  readonly name?: string;
}

export function addGraphCommand(program: Command): void {
  program
    .command('graph [source]')
    .description('draw a topology file, or a running experiment as it is now')
    .addOption(new Option('--format <name>', 'what is written').choices(FORMATS).default('mermaid'))
    .option('-o, --output <file>', 'write a file instead of stdout')
    .addOption(new Option('--at <time>', 'of a file: with all events until then').argParser(parseDuration))
    .addOption(nameOption('which experiment, if several are running'))
    .action(draw);
}

async function draw(source: string | undefined, options: GraphOptions): Promise<void> {
  const { title, graph } = await graphOf(source, options);
  const text = written(drawingOf(graph), title, options.format);
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

function written(drawing: Drawing, title: string, format: Format): string {
  if (format === 'svg') return svg(drawing, title);
  return format === 'dot' ? dot(drawing, title) : mermaid(drawing);
}

/** Of a file, if there is one of this name; else of the running experiment. Throws `ControllerError`, `TopologyError`. */
export async function graphOf(
  source: string | undefined,
  { at, name }: { readonly at?: Micros; readonly name?: string },
): Promise<{ readonly title: string; readonly graph: Graph; readonly experiment?: string }> {
  if (source !== undefined && (existsSync(source) || /[./]/.test(source))) {
    const { topology } = openTopology(source);
    return { title: topology.name, graph: at === undefined ? expandGraph(topology) : graphAt(topology, at) };
  }
  if (at !== undefined)
    throw new ControllerError(
      'GRAPH_USAGE',
      '--at is for files: a running experiment is shown as it is now',
      'name a file',
    );
  // Only this needs the modules of running experiments, whose loading takes longer than reading a file.
  const { liveGraph } = await import('../../experiment/live-graph.ts');
  const { experiment, graph } = await liveGraph(source ?? name);
  return { title: experiment, graph: decodeGraph(graph), experiment };
}
