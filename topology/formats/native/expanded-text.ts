/** A file as agents and records get it: without variables, ranges, matrices and includes; and with some of its events only. */
import { Document, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import { EXPANDED_MARK } from './expand/language.ts';

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

/** The lines of `events:`; empty if there are none. The text is that of a valid file. */
export function eventLinesOf(text: string): string[] {
  const events = parseDocument(text).get('events');
  return isSeq(events)
    ? events.items.map((item) => (isScalar(item) ? String(item.value) : String(item)))
    : [];
}

/** `kept`: which events stay, by their places from 0. */
export function withSomeEvents(text: string, kept: ReadonlySet<number>): string {
  const document = parseDocument(text);
  const events = document.get('events');
  if (!isSeq(events)) return text;
  events.items = events.items.filter((_, index) => kept.has(index));
  if (events.items.length === 0) document.delete('events');
  return document.toString({ lineWidth: 0 });
}
