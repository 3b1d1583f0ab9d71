/** The native YAML file → `Topology`. */
import { Findings } from '../../model/diagnostics.ts';
import type { Extras } from '../../model/format.ts';
import { NOT_TEXT } from '../../model/limits.ts';
import type { ParsedFile } from '../../model/parsed-file.ts';
import { expand } from './expand/expand.ts';
import { mayNeedExpansion } from './expand/language.ts';
import { expandedText } from './expanded-text.ts';
import { readDocument } from './reader.ts';
import { KNOWN_KEYS } from './schema.ts';
import { YamlDocument } from './yaml/document.ts';
import type { NativeDocument } from './yaml/placed.ts';

/**
 * Gives `undefined` if there is nothing to check further; `findings` then has the reason. The events are not checked
 * yet.
 */
export function parseNative(
  text: string,
  file: string,
  name: string,
  findings: Findings,
  extras: Extras = {},
): ParsedFile | undefined {
  const written = YamlDocument.parse(text, findings);
  const document = written && expanded(written, text, file, findings, extras);
  // What follows from a mistake in a variable or in another file would be told as well.
  if (!document || findings.hasErrors) return undefined;
  const parsed = readDocument(document, file, name, findings);
  if (!parsed || (document === written && !extras.isExpansionWanted)) return parsed;
  const called = parsed.topology.name;
  return {
    ...parsed,
    expanded: () => expandedText({ name: called, ...(document.value as object) }, file),
  };
}

/** Without variables, ranges and includes; the document itself if it has none. */
function expanded(
  written: YamlDocument,
  text: string,
  file: string,
  findings: Findings,
  extras: Extras,
): NativeDocument {
  const isWanted = mayNeedExpansion(text) || (extras.set ?? new Map()).size > 0;
  const isMapping =
    typeof written.value === 'object' && written.value !== null && !Array.isArray(written.value);
  if (!isMapping || !isWanted) return written;
  const keys = { link: KNOWN_KEYS['links.*']!, service: KNOWN_KEYS['services.*']! };
  const parse = (other: string, name: string) => parseIncluded(other, name, findings);
  return expand(written, { file, keys, extras, parse, findings });
}

function parseIncluded(text: string, file: string, findings: Findings): YamlDocument | undefined {
  const own = new Findings(file);
  const binary = NOT_TEXT.exec(text);
  const start = { line: 1, column: 1 };
  if (binary) own.error('FILE_NOT_TEXT', start, '', 'this is not a text file in UTF-8', 'include YAML');
  const document = binary ? undefined : YamlDocument.parse(text, own, 'topology', file);
  const value = document?.value;
  if (document && (typeof value !== 'object' || value === null || Array.isArray(value)))
    own.error('NOT_A_TOPOLOGY', start, '', 'this is no part of a topology', 'write e.g. services: { a: {} }');
  findings.include(own);
  return own.hasErrors ? undefined : document;
}
