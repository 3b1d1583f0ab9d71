/** `netfold generate SHAPE`: topologies of any size, for tests and measurements. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  DEFAULT_RANGES,
  DEFAULT_SHAPE_OPTIONS,
  type GenerateRequest,
  generateTopology,
  SHAPES,
} from '../../../topology/generate/generate.ts';
import type { Shape, ShapeOptionName } from '../../../topology/generate/model.ts';
import {
  parseBandwidthRange,
  parseLatencyRange,
  parseLossRange,
  type Range,
} from '../../../topology/generate/ranges.ts';
import { TRAFFIC, type Traffic } from '../../../topology/generate/traffic.ts';
import { writeOutput } from '../terminal/write-output.ts';

const HELP = `
Each shape has a help of its own: netfold generate scale-free --help

  netfold generate scale-free --nodes 4000 -o big.yaml       2,668 services, 1,332 bridges
  netfold generate dumbbell --nodes 20 --bandwidth 50Mbps | tee bell.yaml
  netfold generate waxman --nodes 100 --seed 7 --latency 0ms..40ms
  netfold generate fat-tree --pods 4 --traffic iperf3 -o dc.yaml && netfold up dc.yaml

Properties of links are drawn, uniformly, from ranges: 10ms is always that, 1ms..10ms anything between. Links at services
have their own, --access-…; both directions of a link are alike. The same options and --seed give the same file, byte for
byte; its first line says which.`;

const SIZE_OPTIONS: Readonly<Record<ShapeOptionName, Option>> = {
  attach: number(
    '--attach <count>',
    'links that each new node brings along',
    whole,
    DEFAULT_SHAPE_OPTIONS.attach,
  ),
  fanout: number('--fanout <count>', 'how many are below a bridge', whole, DEFAULT_SHAPE_OPTIONS.fanout),
  columns: number('--columns <count>', 'bridges in a row', whole),
  pods: number('--pods <count>', 'pods, an even number; instead of --nodes', whole),
  alpha: number(
    '--alpha <number>',
    'how likely long links are beside short ones, above 0 to 1',
    decimal,
    DEFAULT_SHAPE_OPTIONS.alpha,
  ),
  beta: number('--beta <number>', 'how likely links are, above 0 to 1', decimal, DEFAULT_SHAPE_OPTIONS.beta),
};

interface Options {
  readonly nodes?: number;
  readonly seed: number;
  readonly latency: Range;
  readonly bandwidth: Range;
  readonly accessLatency: Range;
  readonly accessBandwidth: Range;
  readonly jitter?: Range;
  readonly loss?: Range;
  readonly traffic?: Traffic;
  readonly output?: string;
  readonly attach?: number;
  readonly fanout?: number;
  readonly columns?: number;
  readonly pods?: number;
  readonly alpha?: number;
  readonly beta?: number;
}

export function addGenerateCommand(program: Command): void {
  const generate = program
    .command('generate')
    .description('write a topology of a shape and a size')
    .addHelpText('after', HELP);
  for (const shape of SHAPES) addShape(generate, shape);
}

function addShape(generate: Command, shape: Shape): void {
  const nodes = number('--nodes <count>', 'the size, see below', whole);
  const command = generate
    .command(shape.name)
    .description(shape.summary)
    .addOption(shape.uses.includes('pods') ? nodes : nodes.makeOptionMandatory());
  for (const name of shape.uses) command.addOption(SIZE_OPTIONS[name]);
  command
    .addOption(number('--seed <number>', 'another one, another topology', whole, 1))
    .addOption(
      range('--latency <range>', 'of links between bridges', parseLatencyRange, DEFAULT_RANGES.latency),
    )
    .addOption(
      range('--bandwidth <range>', 'of links between bridges', parseBandwidthRange, DEFAULT_RANGES.bandwidth),
    )
    .addOption(
      range(
        '--access-latency <range>',
        'of links at services',
        parseLatencyRange,
        DEFAULT_RANGES.accessLatency,
      ),
    )
    .addOption(
      range(
        '--access-bandwidth <range>',
        'of links at services',
        parseBandwidthRange,
        DEFAULT_RANGES.accessBandwidth,
      ),
    )
    .addOption(range('--jitter <range>', 'of all links; default: none', parseLatencyRange))
    .addOption(range('--loss <range>', 'of all links, e.g. 0.1%; default: none', parseLossRange))
    .addOption(
      new Option(
        '--traffic <kind>',
        'what services run; ping: each pings another; iperf3: half of them send TCP to the other half',
      ).choices(TRAFFIC),
    )
    .option('-o, --output <file>', 'write there instead of printing')
    .addHelpText('after', `\n${shape.explanation}`)
    .action((options: Options) => {
      const request = requestOf(shape, options, commandLine(shape, command, options));
      writeOutput(generateTopology(request), options.output);
    });
}

function requestOf(shape: Shape, options: Options, line: string): GenerateRequest {
  const { seed, traffic } = options;
  return {
    shape,
    options: { ...DEFAULT_SHAPE_OPTIONS, ...options },
    ranges: options,
    seed,
    ...(traffic && { traffic }),
    command: line,
  };
}

/** The command that generates the same file again: all given options, and the seed. */
function commandLine(shape: Shape, command: Command, options: Options): string {
  const words = command.options.flatMap((option) => {
    const name = option.attributeName();
    const isSaid = command.getOptionValueSource(name) === 'cli' || name === 'seed';
    if (!isSaid || name === 'output') return [];
    const value = options[name as keyof Options];
    return [`${option.long} ${typeof value === 'object' ? value.text : value}`];
  });
  return ['netfold generate', shape.name, ...words].join(' ');
}

function number(
  flags: string,
  description: string,
  parse: (text: string) => number,
  otherwise?: number,
): Option {
  const option = new Option(flags, description).argParser(parse);
  return otherwise === undefined ? option : option.default(otherwise);
}

function range(
  flags: string,
  description: string,
  parse: (text: string) => Range,
  otherwise?: Range,
): Option {
  const option = new Option(flags, description).argParser(parse);
  return otherwise === undefined ? option : option.default(otherwise, otherwise.text);
}

function whole(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError('It is no whole number, e.g. 100.');
  return Number(text);
}

function decimal(text: string): number {
  if (!/^\d*\.?\d+$/.test(text)) throw new InvalidArgumentError('It is no number, e.g. 0.2.');
  return Number(text);
}
