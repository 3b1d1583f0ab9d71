/**
 * The text of a topology file, and that of a script of events → `Topology`, by the readers that are given: load.ts has all
 * of them, read.ts loads those that a file needs.
 */
import { TooMuchWork } from './events/targets.ts';
import { checkRoutes } from './fold/check-routes.ts';
import { checkRules } from './fold/check-rules.ts';
import { Expansion } from './fold/graph.ts';
import type { Script } from './formats/thunderstorm/model.ts';
import { type Diagnostic, Findings } from './model/diagnostics.ts';
import type { Extras, Format, Reader, TextFile } from './model/format.ts';
import { MAX_TEXT_LENGTH, NOT_TEXT } from './model/limits.ts';
import type { Topology } from './model/model.ts';
import { isName, MAX_NAME_LENGTH } from './model/names.ts';
import type { ParsedFile } from './model/parsed-file.ts';
import type { PopulationOf } from './model/population.ts';
import { type PathAdvice, warnOfPaths } from './path-warnings.ts';
import { checkEvents } from './timeline/check.ts';
import { checkSequences } from './timeline/check-sequences.ts';
import { warnOf } from './warnings.ts';

export interface LoadedTopology {
  readonly topology: Topology;
  readonly warnings: readonly Diagnostic[];
  /** The text without variables and other files, which gives the same topology. Absent: the text is so. */
  readonly expanded?: () => string;
}

/** The text of a file, and what reads it. */
export interface Given {
  readonly main: TextFile;
  readonly format: Format;
  /** That of the format. */
  readonly read: Reader;
  readonly script?: { readonly source: TextFile; readonly reader: typeof import('./scripts.ts') } | undefined;
  readonly advice?: PathAdvice | undefined;
  readonly extras?: Extras | undefined;
}

/** Parses and checks, as `loadTopology` (load.ts) says. */
export function loadGiven(given: Given): LoadedTopology {
  const { file } = given.main;
  const findings = new Findings(file);
  const { topology, expanded } = read(given, findings);
  if (topology && !findings.hasErrors) {
    const expansion = new Expansion(topology);
    checkRules(topology, expansion, findings);
    warnOf(topology, expansion.graph, findings);
    if (given.advice) warnOfPaths(topology, expansion, findings, given.advice);
  }
  const warnings = findings.settle();
  if (!topology) throw new Error(`${file} gave neither a topology nor an error`);
  return { topology, warnings, ...(expanded && { expanded }) };
}

interface ReadFile extends Pick<LoadedTopology, 'expanded'> {
  readonly topology?: Topology | undefined;
}

function read(given: Given, findings: Findings): ReadFile {
  const { main, script } = given;
  try {
    // Errors in the script must not prevent the other file from being read.
    const found = new Findings(script?.source.file ?? main.file);
    const events = readScript(given, found);
    const parsed = isReadable(main, 'topology', findings) ? parse(given, events, findings) : undefined;
    findings.include(found);
    const topology =
      parsed && !findings.hasErrors ? joined(given, parsed, events, findings) : parsed?.topology;
    return { topology, ...(parsed?.expanded && { expanded: parsed.expanded }) };
  } catch (error) {
    if (!(error instanceof TooMuchWork)) throw error;
    const message = 'the events of the script are too many for so many services';
    findings.error('LIMIT', START, '', message, 'use fewer events that are about all services');
    return {};
  }
}

function readScript({ script }: Given, findings: Findings): Script | undefined {
  if (!script) return undefined;
  const { file } = script.source;
  const text = withoutMark(script.source.text);
  return isReadable({ file, text }, 'script', findings)
    ? script.reader.parseScript(text, file, findings)
    : undefined;
}

function parse(
  { main, format, read, script, extras = {} }: Given,
  events: Script | undefined,
  findings: Findings,
): ParsedFile | undefined {
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
  const populationOf: PopulationOf = script && events ? script.reader.populationOf(events) : () => [];
  return read(main, { name: nameOf(main.file), populationOf, extras }, findings);
}

/** File and script together, with a checked timeline. */
function joined(
  { script }: Given,
  parsed: ParsedFile,
  events: Script | undefined,
  findings: Findings,
): Topology {
  const { topology, fieldOf, laterHolds } =
    script && events ? script.reader.withScript(parsed, events, findings) : parsed;
  if (!findings.hasErrors) checkRoutes(topology, findings);
  if (!findings.hasErrors) checkEvents(topology, findings, { field: fieldOf, laterHolds });
  if (!findings.hasErrors) checkSequences(topology, findings);
  return topology;
}

/** Without the mark of the order of bytes, which editors on Windows write. */
export function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

const START = { line: 1, column: 1 };
const NAMES = { topology: 'a topology file, YAML or XML', script: 'a ThunderStorm script' } as const;

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
