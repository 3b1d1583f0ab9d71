/** The text of a topology file, and that of a script of events → `Topology`. The caller reads the files. */

import { TooMuchWork } from './events/targets.ts';
import { checkRoutes } from './fold/check-routes.ts';
import { checkRules } from './fold/check-rules.ts';
import { Expansion } from './fold/graph.ts';
import { formatOf } from './formats/registry.ts';
import { compileScript } from './formats/thunderstorm/compile.ts';
import { withDeclarations } from './formats/thunderstorm/declare.ts';
import type { Script } from './formats/thunderstorm/model.ts';
import { parseScript } from './formats/thunderstorm/parse.ts';
import { Populations } from './formats/thunderstorm/population.ts';
import { type Diagnostic, Findings } from './model/diagnostics.ts';
import type { Extras, TextFile } from './model/format.ts';
import { MAX_TEXT_LENGTH, NOT_TEXT } from './model/limits.ts';
import type { Topology } from './model/model.ts';
import { isName, MAX_NAME_LENGTH } from './model/names.ts';
import type { ParsedFile } from './model/parsed-file.ts';
import type { PopulationOf } from './model/population.ts';
import { type PathAdvice, warnOfPaths } from './path-warnings.ts';
import { checkEvents } from './timeline/check.ts';
import { checkSequences } from './timeline/check-sequences.ts';
import { warnOf } from './warnings.ts';

export { type Diagnostic, formatDiagnostic, TopologyError } from './model/diagnostics.ts';
export type { Extras } from './model/format.ts';
export { MAX_TEXT_LENGTH } from './model/limits.ts';

export interface LoadedTopology {
  readonly topology: Topology;
  readonly warnings: readonly Diagnostic[];
  /** The text without variables and other files, which gives the same topology. Absent: the text is so. */
  readonly expanded?: () => string;
}

const NAMES = { topology: 'a topology file, YAML or XML', script: 'a ThunderStorm script' } as const;

/**
 * Parses and checks. `file` is used in messages, for the format (formats/registry.ts), and for the name where the file
 * gives none. `script`: ThunderStorm, whose events (and what it declares) come after those of the file. Throws
 * `TopologyError` with every error found. `advice`: fold paths, too, and warn of those that
 * are other than they look; this costs a part of a second for thousands of nodes. `extras`: variables, and how to read
 * other files that this one names.
 */
export function loadTopology(
  text: string,
  file: string,
  script?: TextFile,
  advice?: PathAdvice,
  extras: Extras = {},
): LoadedTopology {
  const findings = new Findings(file);
  const { topology, expanded } = read({ file, text: withoutMark(text) }, script, extras, findings);
  if (topology && !findings.hasErrors) {
    const expansion = new Expansion(topology);
    checkRules(topology, expansion, findings);
    warnOf(topology, expansion.graph, findings);
    if (advice) warnOfPaths(topology, expansion, findings, advice);
  }
  const warnings = findings.settle();
  if (!topology) throw new Error(`${file} gave neither a topology nor an error`);
  return { topology, warnings, ...(expanded && { expanded }) };
}

interface ReadFile extends Pick<LoadedTopology, 'expanded'> {
  readonly topology?: Topology | undefined;
}

function read(main: TextFile, script: TextFile | undefined, extras: Extras, findings: Findings): ReadFile {
  try {
    // Errors in the script must not prevent the other file from being read.
    const found = new Findings(script?.file ?? main.file);
    const events = script && readScript(script, found);
    const parsed = isReadable(main, 'topology', findings) ? parse(main, events, extras, findings) : undefined;
    findings.include(found);
    const topology = parsed && !findings.hasErrors ? joined(parsed, events, findings) : parsed?.topology;
    return { topology, ...(parsed?.expanded && { expanded: parsed.expanded }) };
  } catch (error) {
    if (!(error instanceof TooMuchWork)) throw error;
    const message = 'the events of the script are too many for so many services';
    findings.error('LIMIT', START, '', message, 'use fewer events that are about all services');
    return {};
  }
}

function readScript({ file, text }: TextFile, findings: Findings): Script | undefined {
  const plain = withoutMark(text);
  return isReadable({ file, text: plain }, 'script', findings)
    ? parseScript(plain, file, findings)
    : undefined;
}

function parse(
  main: TextFile,
  script: Script | undefined,
  extras: Extras,
  findings: Findings,
): ParsedFile | undefined {
  const context = { name: nameOf(main.file), populationOf: populationOf(script), extras };
  const format = formatOf(main);
  if (extras.set && extras.set.size > 0 && !format.hasVariables) {
    const message = `files of ${format.name} have no variables`;
    findings.error(
      'VARIABLE_UNKNOWN',
      START,
      '',
      message,
      'leave out --set, or use what netfold convert writes',
    );
  }
  return format.parse(main, context, findings);
}

function populationOf(script: Script | undefined): PopulationOf {
  const populations = new Populations(script ? [script] : []);
  return (service, tags) => populations.of(service, tags);
}

/** File and script together, with a checked timeline. */
function joined(parsed: ParsedFile, script: Script | undefined, findings: Findings): Topology {
  let { topology } = parsed;
  let fieldOf = parsed.fieldOf;
  if (script) {
    topology = withDeclarations(topology, script, parsed.supervisors, populationOf(script), findings);
    if (findings.hasErrors) return topology;
    const events = compileScript(script, { ...parsed, topology }, findings);
    topology = { ...topology, events: [...topology.events, ...events] };
    const own = new Set(events);
    fieldOf = (event) => (own.has(event) ? 'event' : parsed.fieldOf(event));
  }
  if (!findings.hasErrors) checkRoutes(topology, findings);
  if (!findings.hasErrors) checkEvents(topology, findings, { field: fieldOf, laterHolds: parsed.laterHolds });
  if (!findings.hasErrors) checkSequences(topology, findings);
  return topology;
}

function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

const START = { line: 1, column: 1 };

function isReadable({ file, text }: TextFile, kind: keyof typeof NAMES, findings: Findings): boolean {
  const start = { ...START, file };
  if (text.length > MAX_TEXT_LENGTH) {
    const message = `the file has ${text.length} characters, more than ${MAX_TEXT_LENGTH}`;
    findings.error('FILE_TOO_LARGE', start, '', message, 'use replicas instead of writing each service');
    return false;
  }
  if (text.trim() === '') {
    const remedy =
      kind === 'script' ? 'write e.g. at 30s client crash' : 'see examples/quickstart.yaml for the format';
    findings.error('FILE_EMPTY', start, '', 'the file is empty', remedy);
    return false;
  }
  const binary = NOT_TEXT.exec(text);
  if (binary) {
    const line = text.slice(0, binary.index).split('\n').length;
    const message = 'this is not a text file in UTF-8';
    findings.error('FILE_NOT_TEXT', { ...start, line }, '', message, `give ${NAMES[kind]}`);
    return false;
  }
  return true;
}

/** A valid name from the file's name: `my ring.yaml` gives `my-ring`, `über.yaml` `uber`, `20k.yaml` `lab-20k`. */
function nameOf(file: string): string {
  const base = file.replace(/^.*[/\\]/s, '').replace(/\.[^.]*$/s, '');
  const cleaned = base
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/[^A-Za-z0-9_]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .replace(/^(?=\d)/, 'lab-')
    .slice(0, MAX_NAME_LENGTH)
    .replace(/-+$/, '');
  return isName(cleaned) ? cleaned : 'topology';
}
