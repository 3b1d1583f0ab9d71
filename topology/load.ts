/** The text of a topology file of any format → `Topology`, with all readers loaded: at once, whatever comes. */
import { FORMATS, formatOf } from './formats/registry.ts';
import { type LoadedTopology, loadGiven, withoutMark } from './loading.ts';
import type { Extras, TextFile } from './model/format.ts';
import type { PathAdvice } from './path-warnings.ts';
import * as reader from './scripts.ts';

export type { LoadedTopology } from './loading.ts';
export { type Diagnostic, formatDiagnostic, TopologyError } from './model/diagnostics.ts';
export type { Extras } from './model/format.ts';
export { MAX_TEXT_LENGTH } from './model/limits.ts';

const READERS = new Map(
  await Promise.all(FORMATS.map(async (format) => [format, await format.reader()] as const)),
);

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
  extras?: Extras,
): LoadedTopology {
  const main = { file, text: withoutMark(text) };
  const format = formatOf(main);
  const read = READERS.get(format)!;
  return loadGiven({ main, format, read, script: script && { source: script, reader }, advice, extras });
}
