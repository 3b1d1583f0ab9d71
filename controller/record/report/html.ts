/** Pieces of a page. Names come from a user's file: none of them is markup. Pure. */
import { formatMicros, formatRate, fromMillis } from '../../../proto/units.ts';
import { count } from '../../../proto/words.ts';

/** Rows of a table; a reader who wants all has `netfold export`. */
export const MOST_ROWS = 500;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export const inert = (text: string): string => text.replace(/[&<>"']/g, (one) => ENTITIES[one]!);

/** In a script element, nothing ends it but itself. */
export const json = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c');

/** Markup as it is, in a cell of a table. */
export interface Markup {
  readonly markup: string;
}

export type Cell = string | Markup;

const cellText = (cell: Cell): string => (typeof cell === 'string' ? inert(cell) : cell.markup);

/** `numeric`: columns that are aligned at the right; all but the first. `whole`: where the rows are that have no room. */
export function table(
  heading: readonly string[],
  rows: readonly (readonly Cell[])[],
  numeric: readonly number[] = heading.map((_, at) => at).slice(1),
  whole = 'netfold export has all',
): string {
  const kind = (at: number): string => (numeric.includes(at) ? ' class="number"' : ' class="text"');
  const line = (tag: string, row: readonly Cell[]): string =>
    `<tr>${row.map((cell, at) => `<${tag}${kind(at)}>${cellText(cell)}</${tag}>`).join('')}</tr>`;
  const rest = rows.length - MOST_ROWS;
  return `<div class="scroll"><table><thead>${line('th', heading)}</thead><tbody>
${rows
  .slice(0, MOST_ROWS)
  .map((row) => line('td', row))
  .join('\n')}
</tbody></table></div>${rest > 0 ? `<p class="note">and ${count(rest, 'more row')}: ${whole}</p>` : ''}`;
}

export const figure = (id: string, caption: string): string =>
  `<figure><figcaption>${inert(caption)}</figcaption><div id="${id}"></div></figure>`;

export const section = (id: string, title: string, ...parts: readonly string[]): string =>
  `<section id="${id}"><h2>${inert(title)}</h2>\n${parts.filter((part) => part !== '').join('\n')}</section>`;

/** More digits than this say nothing of a mean. */
export const rounded = (value: number): number => Number(value.toPrecision(4));
export const rate = (bps: number): string => formatRate(rounded(bps));
export const ms = (value: number): string => `${value.toFixed(3)} ms`;
export const instant = (milliseconds: number): string => formatMicros(fromMillis(milliseconds));
