/** A file's text with some of its events only; all else stays as it is written. */
import { isScalar, isSeq, parseDocument } from 'yaml';

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
