/** `netfold convert FILE`: a file of another program as a topology file to edit, or a topology for another program; `netfold fmt`. */
import { basename } from 'node:path';
import { type Command, Option } from 'commander';
import { count } from '../../../proto/words.ts';
import { EXPORTS, exportNamed } from '../../../topology/export/registry.ts';
import { nativeText, unwritable } from '../../../topology/formats/native/write.ts';
import { formatOf } from '../../../topology/formats/registry.ts';
import type { LoadedTopology } from '../../../topology/loading.ts';
import type { Topology } from '../../../topology/model/model.ts';
import { readTopology } from '../../../topology/read.ts';
import { ControllerError } from '../../errors.ts';
import { addVariableOptions, extrasOf, type FileOptions, readText } from '../options/files.ts';
import { step, warn } from '../terminal/output.ts';
import { writeOutput } from '../terminal/write-output.ts';

const NATIVE = 'netfold';
const HELP = `
  netfold convert Abilene.graphml -o abilene.yaml && netfold check abilene.yaml
  netfold convert lab.yaml --to mermaid

docs/formats.md names the formats, how each is understood, and what is assumed where a file says nothing. All of that is told,
with its place in the file. The same files work with check, paths and up as they are.`;

/** More than a reader looks at. */
const MAX_COMMENTS = 200;

interface ConvertOptions extends FileOptions {
  readonly output?: string;
  readonly to: string;
}

export function addConvertCommand(program: Command): void {
  addVariableOptions(program.command('convert <file>'))
    .description(
      'write a network of another program (GraphML, GML, …) as a topology file, or a topology for another',
    )
    .option('-o, --output <file>', 'write there instead of printing')
    .addOption(
      new Option('--to <format>', 'for another program instead')
        .choices([NATIVE, ...EXPORTS.map(({ name }) => name)])
        .default(NATIVE),
    )
    .addHelpText('after', HELP)
    .action(convert);
  program
    .command('fmt <file>')
    .description('print a topology file with even indentation and spaces; comments stay')
    .option('-w, --write', 'write it into the file instead')
    .option('--check', 'print nothing; exit 1 if it is laid out otherwise')
    .action(layOut);
}

async function convert(file: string, options: ConvertOptions): Promise<void> {
  const text = readText(file, 'a topology file');
  const { topology, warnings } = await readTopology(
    text,
    file,
    undefined,
    undefined,
    extrasOf(file, options),
  );
  // All of them: whoever edits what comes out wants to know what was assumed.
  for (const { file: where, line, field, message } of warnings)
    warn(`${where}:${line}: ${field === '' ? '' : `${field}: `}${message}`);
  const from = `From ${oneLine(basename(file))}, by netfold convert.`;
  if (options.to !== NATIVE) {
    const { text: made, lost } = exportNamed(options.to)!.write(topology, from);
    for (const what of lost) warn(`${file}: left out: ${what}`);
    writeOutput(made, options.output);
    return;
  }
  refuseEvents(topology, file);
  warnOfMachines(topology, file);
  writeOutput(nativeText(topology, [from, ...comments(warnings)]), options.output);
}

async function layOut(
  file: string,
  { write = false, check = false }: { write?: boolean; check?: boolean },
): Promise<void> {
  const text = readText(file, 'a topology file');
  const { name, hasVariables } = formatOf({ file, text });
  if (!hasVariables)
    throw new ControllerError(
      'FORMAT_UNKNOWN',
      `${file} is a file of ${name}`,
      'fmt is for topology files in YAML',
    );
  const { formatNative } = await import('../../../topology/formats/native/layout.ts');
  const made = formatNative(text, file);
  if (check) {
    if (made !== text) {
      step(`${file} is laid out otherwise: netfold fmt --write ${file}`);
      process.exitCode = 1;
    }
  } else if (write && made === text) step(`${file} is as it should be`);
  else writeOutput(made, write ? file : undefined);
}

/** What was assumed and left out stands in the file, too. */
function comments(warnings: LoadedTopology['warnings']): string[] {
  const lines = warnings.map(({ line, field, message }) =>
    oneLine(`line ${line}: ${field === '' ? '' : `${field}: `}${message}`),
  );
  const more = lines.length - MAX_COMMENTS;
  return more > 0
    ? [...lines.slice(0, MAX_COMMENTS), `and ${count(more, 'more warning')}: netfold check prints them`]
    : lines;
}

/** Scripts of events can do more than a file. */
function refuseEvents(topology: Topology, file: string): void {
  const [first, ...others] = unwritable(topology);
  if (!first) return;
  const message = `${file} has ${count(others.length + 1, 'event')} that a topology file has no words for, such as that in line ${first.position.line}`;
  throw new ControllerError('CONVERT_EVENTS', message, 'use the file as it is: all commands read it');
}

function warnOfMachines({ services }: Topology, file: string): void {
  const number = services.filter(({ machine }) => machine !== undefined).length;
  if (number > 0)
    warn(`${file}: the machines of ${count(number, 'service')} are left out: an inventory names hosts`);
}

/** For a comment. */
function oneLine(name: string): string {
  return name.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\uFFFD');
}
