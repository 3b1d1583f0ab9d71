/** A ThunderStorm script beside a topology file. */
import { compileScript } from './formats/thunderstorm/compile.ts';
import { withDeclarations } from './formats/thunderstorm/declare.ts';
import type { Script } from './formats/thunderstorm/model.ts';
import { Populations } from './formats/thunderstorm/population.ts';
import type { Findings } from './model/diagnostics.ts';
import type { ParsedFile } from './model/parsed-file.ts';
import type { PopulationOf } from './model/population.ts';

export { parseScript } from './formats/thunderstorm/parse.ts';

export function populationOf(script: Script): PopulationOf {
  const populations = new Populations([script]);
  return (service, tags) => populations.of(service, tags);
}

/** The file with what the script declares, and its events after those of the file. Not whole where `findings` has errors. */
export function withScript(parsed: ParsedFile, script: Script, findings: Findings): ParsedFile {
  const population = populationOf(script);
  const topology = withDeclarations(parsed.topology, script, parsed.supervisors, population, findings);
  if (findings.hasErrors) return { ...parsed, topology };
  const events = compileScript(script, { ...parsed, topology }, findings);
  const own = new Set(events);
  return {
    ...parsed,
    topology: { ...topology, events: [...topology.events, ...events] },
    fieldOf: (event) => (own.has(event) ? 'event' : parsed.fieldOf(event)),
  };
}
