/**
 * The text of a topology file → `Topology`, with the modules that this file needs: most are readers of other formats, and
 * loading them takes longer than reading a file of a thousand lines.
 */
import { formatOf } from './formats/registry.ts';
import { type LoadedTopology, loadGiven, withoutMark } from './loading.ts';
import type { Extras, TextFile } from './model/format.ts';
import type { PathAdvice } from './path-warnings.ts';

/** As `loadTopology` (load.ts), and later. */
export async function readTopology(
  text: string,
  file: string,
  script?: TextFile,
  advice?: PathAdvice,
  extras: Extras = {},
): Promise<LoadedTopology> {
  const main = { file, text: withoutMark(text) };
  const format = formatOf(main);
  const read = await format.reader({ source: main, extras });
  const events = script && { source: script, reader: await import('./scripts.ts') };
  return loadGiven({ main, format, read, script: events, advice, extras });
}
