/** A file as agents and records get it: without variables, ranges, matrices and includes. */
import { Document, isMap, isSeq } from 'yaml';

/** The first line of such a text begins with it: nothing in it is expanded again, also where a command has `${…}`. */
export const EXPANDED_MARK = '# Expanded by netfold';

/** `value`: of the file. `file`: for the first line. */
export function expandedText(value: object, file: string): string {
  const name = file.replace(/^.*[/\\]/s, '').replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\uFFFD');
  // Aliases would stand for what the expansion has put into several places.
  const document = new Document(value, { aliasDuplicateObjects: false });
  if (isMap(document.contents)) for (const { value: part } of document.contents.items) compact(part);
  const body = document.toString({ lineWidth: 0, flowCollectionPadding: true, minContentWidth: 0 });
  return `${EXPANDED_MARK} from ${name}\n${body}`;
}

/** One line for each service, bridge and link. */
function compact(part: unknown): void {
  const entries: readonly unknown[] = isSeq(part)
    ? part.items
    : isMap(part)
      ? part.items.map(({ value }) => value)
      : [];
  for (const entry of entries) if (isMap(entry)) entry.flow = true;
}
