/** `netfold convert FILE`: a file of another program as a topology file of netfold's own, to edit. */
import { basename } from 'node:path';
import type { Command } from 'commander';
import { count } from '../../../proto/words.ts';
import { nativeText, unwritable } from '../../../topology/formats/native/write.ts';
import { type LoadedTopology, loadTopology } from '../../../topology/load.ts';
import type { Topology } from '../../../topology/model/model.ts';
import { ControllerError } from '../../errors.ts';
import { readText } from '../options/files.ts';
import { warn } from '../terminal/output.ts';
import { writeOutput } from '../terminal/write-output.ts';

const HELP = `
  netfold convert Abilene.graphml -o abilene.yaml && netfold check abilene.yaml

docs/formats.md names the formats, how each is understood, and what is assumed where a file says nothing. All of that is told,
with its place in the file. The same files work with check, paths and up as they are.`;

/** More than a reader looks at. */
const MAX_COMMENTS = 200;

export function addConvertCommand(program: Command): void {
  program
    .command('convert <file>')
    .description('write a network of another program (GraphML, GML, …) as a topology file')
    .option('-o, --output <file>', 'write there instead of printing')
    .addHelpText('after', HELP)
    .action((file: string, { output }: { output?: string }) => {
      const { topology, warnings } = loadTopology(readText(file, 'a topology file'), file);
      // All of them: whoever edits what comes out wants to know what was assumed.
      for (const { line, field, message } of warnings)
        warn(`${file}:${line}: ${field === '' ? '' : `${field}: `}${message}`);
      refuseEvents(topology, file);
      warnOfMachines(topology, file);
      const heading = [`From ${oneLine(basename(file))}, by netfold convert.`, ...comments(warnings)];
      writeOutput(nativeText(topology, heading), output);
    });
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
