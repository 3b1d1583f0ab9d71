/** A script as a topology file: it declares its own topology, with the routing of Kollaps. */
import type { Findings } from '../../model/diagnostics.ts';
import type { ParseContext, Reader } from '../../model/format.ts';
import type { ParsedFile } from '../../model/parsed-file.ts';
import type { PopulationOf } from '../../model/population.ts';
import { compileScript } from './compile.ts';
import { withDeclarations } from './declare.ts';
import type { Script } from './model.ts';
import { parseScript } from './parse.ts';
import { Populations } from './population.ts';

export const readStandalone: Reader = ({ file, text }, context, findings) =>
  standalone(parseScript(text, file, findings), context, findings);

function standalone(script: Script, { name, populationOf }: ParseContext, findings: Findings): ParsedFile {
  const empty: ParsedFile = {
    topology: { name, routing: 'hops', services: [], bridges: [], links: [], events: [] },
    fieldOf: () => 'event',
    supervisors: script.supervisors,
    laterHolds: false,
    withoutReuse: new Set(),
  };
  if (findings.hasErrors) return empty;
  const own = new Populations([script]);
  // The other script's events come after those of this one.
  const all: PopulationOf = (service, tags) => [...own.of(service, tags), ...populationOf(service, tags)];
  const topology = withDeclarations(empty.topology, script, script.supervisors, all, findings);
  if (topology.services.length === 0) {
    const remedy = 'add service NAME image=IMAGE, or give the script with --events beside a topology file';
    const start = { line: 1, column: 1 };
    findings.error('NO_SERVICES', start, '', 'the script declares no services', remedy);
  }
  const base = { ...empty, topology };
  return { ...base, topology: { ...topology, events: compileScript(script, base, findings) } };
}
