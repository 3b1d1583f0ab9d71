/** Values among groups: a mapping of mappings, CSV, or JSON → cells by row and column. */
import { Findings, quote } from '../../../model/diagnostics.ts';
import { type Cell as CsvCell, parseCsv } from '../../../syntax/csv.ts';
import { type Json, parseJson } from '../../../syntax/json.ts';
import { below, type Origin, type Place, placeOf } from './origins.ts';

export interface Cell {
  readonly text: string;
  readonly origin: Origin;
  /** Whether a number without a unit has one: that of the table. */
  readonly mayBeBare: boolean;
}

export interface Table {
  /** In the order of the file. */
  readonly names: readonly string[];
  cell(row: string, column: string): Cell | undefined;
}

/** Each with each: a million cells. */
export const MAX_PLACES = 1000;
/** What tables write where there is nothing. */
const NOTHING = new Set(['', '-', '–', 'n/a', 'na', 'nan', 'x', 'null']);
const REMEDY = 'write the names of places in the first row and the first column, and values between';

class Cells implements Table {
  readonly #names = new Set<string>();
  readonly #rows = new Map<string, Map<string, Cell>>();

  get names(): readonly string[] {
    return [...this.#names];
  }

  cell(row: string, column: string): Cell | undefined {
    return this.#rows.get(row)?.get(column);
  }

  name(name: string): void {
    this.#names.add(name);
  }

  add(row: string, column: string, cell: Cell): void {
    this.name(row);
    this.name(column);
    if (NOTHING.has(cell.text.trim().toLowerCase())) return;
    const cells = this.#rows.get(row) ?? new Map<string, Cell>();
    this.#rows.set(row, cells);
    cells.set(column, cell);
  }
}

/** A mapping of the topology file: `{ eu: { us: 70ms } }`. */
export function tableOfMapping(
  rows: Readonly<Record<string, unknown>>,
  origin: Origin,
  findings: Findings,
): Table {
  const table = new Cells();
  for (const [row, columns] of Object.entries(rows)) {
    table.name(row);
    if (typeof columns !== 'object' || columns === null || Array.isArray(columns)) {
      refuse(findings, below(origin, row), `${quote(row)} has no columns`, 'write e.g. eu: { us: 70ms }');
      continue;
    }
    for (const [column, value] of Object.entries(columns))
      table.add(row, column, {
        text: value === null ? '' : String(value),
        origin: below(below(origin, row), column),
        mayBeBare: false,
      });
  }
  return table;
}

/** `undefined` if it is no table; `findings` then has the reason. `field`: of the topology file. */
export function tableOfCsv(
  text: string,
  place: (cell: Place) => Place,
  field: string,
  findings: Findings,
): Table | undefined {
  const at = (cell: Place): Origin => ({ place: place(cell), field });
  const start = at({ line: 1, column: 1 });
  // The only problem that the reader has; its place is in the text, which may be a part of a file.
  const rows = parseCsv(text, new Findings(''));
  if (!rows) {
    refuse(findings, start, 'a quoted text of the table has no end', 'close it with "');
    return undefined;
  }
  const [head = [], ...body] = rows;
  const columns = head.slice(1);
  if (columns.length === 0 || body.length === 0) {
    refuse(findings, start, 'this is no table', REMEDY);
    return undefined;
  }
  const names = columns.map((cell) => cell.text);
  const known = new Set(names);
  if (body.length !== columns.length || body.length > MAX_PLACES) {
    const problem = body.length > MAX_PLACES ? 'too large' : 'not square';
    const size = `it has ${body.length} rows and ${columns.length} columns`;
    refuse(findings, start, `the table is ${problem}: ${size}`, REMEDY);
    return undefined;
  }
  const table = new Cells();
  for (const row of body) {
    const label = row[0]!;
    table.name(label.text);
    if (!known.has(label.text))
      refuse(
        findings,
        at(label),
        `there is no column ${quote(label.text)}`,
        'name each place in a row and a column',
      );
    if (row.length !== head.length)
      refuse(
        findings,
        at(label),
        `the row has ${row.length} cells, and the first has ${head.length}`,
        REMEDY,
      );
    row.slice(1, head.length).forEach((cell: CsvCell, index) => {
      table.add(label.text, names[index]!, { text: cell.text, origin: at(cell), mayBeBare: true });
    });
  }
  for (const [what, all] of [
    ['column', names],
    ['row', body.map((row) => row[0]!.text)],
  ] as const)
    for (const name of repeated(all))
      refuse(findings, start, `there is a second ${what} ${quote(name)}`, 'name each place once');
  return findings.hasErrors ? undefined : table;
}

/** An object of objects, as a mapping of the topology file is. */
export function tableOfJson(
  text: string,
  place: (cell: Place) => Place,
  field: string,
  findings: Findings,
): Table | undefined {
  const json = parseJson(text, findings);
  if (!json) return undefined;
  const at = (one: Json): Origin => ({ place: place(one), field });
  const table = new Cells();
  if (json.kind !== 'object') {
    refuse(findings, at(json), 'this is no table', 'write e.g. { "eu": { "us": "70ms" } }');
    return undefined;
  }
  for (const [row, columns] of json.members) {
    table.name(row);
    if (columns.kind !== 'object') {
      refuse(findings, at(columns), `${quote(row)} has no columns`, 'write e.g. "eu": { "us": "70ms" }');
      continue;
    }
    for (const [column, value] of columns.members) {
      if (value.kind === 'object' || value.kind === 'array')
        refuse(findings, at(value), `${quote(column)} has no value`, 'write e.g. "us": "70ms"');
      else table.add(row, column, { text: value.text, origin: at(value), mayBeBare: true });
    }
  }
  return findings.hasErrors ? undefined : table;
}

function repeated(names: readonly string[]): Set<string> {
  const seen = new Set<string>();
  return new Set(names.filter((name) => seen.size === seen.add(name).size));
}

function refuse(findings: Findings, origin: Origin, message: string, remedy: string): void {
  findings.error('MATRIX', placeOf(origin), 'source' in origin ? 'matrix' : origin.field, message, remedy);
}
