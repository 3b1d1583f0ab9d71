/** A topology file's text → `Topology`. Reading the file is the caller's. */

import { type Diagnostic, Findings } from './diagnostics.ts';
import { parseKollaps } from './kollaps/parse.ts';
import { MAX_TEXT_LENGTH } from './limits.ts';
import type { Topology } from './model.ts';
import { isName, MAX_NAME_LENGTH } from './names.ts';
import { parseNative } from './native/parse.ts';
import { warnOf } from './warnings.ts';

export { type Diagnostic, formatDiagnostic, TopologyError } from './diagnostics.ts';

export interface LoadedTopology {
  readonly topology: Topology;
  readonly warnings: readonly Diagnostic[];
}

const START = { line: 1, column: 1 };

/**
 * Parses and checks. `file` is used in messages, for the format (.xml is the Kollaps dialect, .yaml and .yml the native one, else
 * the content tells), and for the name where the file gives none. Throws `TopologyError` with every error found.
 */
export function loadTopology(text: string, file: string): LoadedTopology {
  const findings = new Findings(file);
  const plain = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const topology = isReadable(plain, findings) ? parse(plain, file, findings) : undefined;
  if (topology && !findings.hasErrors) warnOf(topology, findings);
  const warnings = findings.settle();
  if (!topology) throw new Error(`${file} gave neither a topology nor an error`);
  return { topology, warnings };
}

function parse(text: string, file: string, findings: Findings): Topology | undefined {
  return formatOf(text, file) === 'xml'
    ? parseKollaps(text, file, nameOf(file), findings)
    : parseNative(text, file, nameOf(file), findings);
}

function formatOf(text: string, file: string): 'yaml' | 'xml' {
  if (/\.ya?ml$/i.test(file)) return 'yaml';
  if (/\.xml$/i.test(file)) return 'xml';
  return /^\s*</.test(text) ? 'xml' : 'yaml';
}

function isReadable(text: string, findings: Findings): boolean {
  if (text.length > MAX_TEXT_LENGTH) {
    const message = `the file has ${text.length} characters, more than ${MAX_TEXT_LENGTH}`;
    findings.error('FILE_TOO_LARGE', START, '', message, 'use replicas instead of writing each service');
    return false;
  }
  if (text.trim() === '') {
    findings.error(
      'FILE_EMPTY',
      START,
      '',
      'the file is empty',
      'see examples/quickstart.yaml for the format',
    );
    return false;
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what makes a file not text.
  const binary = /[\x00-\x08\x0E-\x1F\uFFFD]/.exec(text);
  if (binary) {
    const line = text.slice(0, binary.index).split('\n').length;
    findings.error(
      'FILE_NOT_TEXT',
      { line, column: 1 },
      '',
      'this is not a text file in UTF-8',
      'give a topology file, YAML or XML',
    );
    return false;
  }
  return true;
}

/** A valid name made of the file's: `my ring.yaml` is `my-ring`. */
function nameOf(file: string): string {
  const base = file.replace(/^.*[/\\]/s, '').replace(/\.[^.]*$/s, '');
  const cleaned = base
    .replace(/[^A-Za-z0-9_]+/g, '-')
    .replace(/^[^A-Za-z]+/, '')
    .slice(0, MAX_NAME_LENGTH)
    .replace(/-+$/, '');
  return isName(cleaned) ? cleaned : 'topology';
}
